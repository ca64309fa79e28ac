export { type ArrayError, ArrayShapeError, isArrayError, type NpyFault, NpyFormatError } from './array-error.js';
export { DTYPES, type DType, isDType, isOpaque, itemSize } from './dtype.js';
export { decodeNpy, encodeNpy, encodeNpyHeader, type NpyHeader, parseNpyHeader } from './npy.js';
export { forEachRun, packedBytes, type RunShape, runShape } from './runs.js';
export { copyBox, extractBox } from './strided-copy.js';
export { type TypedView, typedView } from './typed-view.js';
