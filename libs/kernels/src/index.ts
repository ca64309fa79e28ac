export { ByteFormatError } from './byte-stream.js';
export { type CheckedPiece, type CheckPart, type CheckResult, CheckRun } from './check-run.js';
export type { CheckTask } from './check-task.js';
export type { CheckValue } from './check-value.js';
export { inspectKernel } from './inspect-kernel.js';
export type { FileSlice, PieceData, PreviousData } from './piece-data.js';
export { parseRoundSpec, type RoundSpec } from './round-spec.js';
export { type ArrayShape, transformedBox, transformedShape } from './transform.js';
export type { TransformedPiece, TransformTask } from './transform-task.js';
