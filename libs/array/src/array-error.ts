/** Bytes, boxes or extents that do not fit together: a wrong length, a box outside its array, mixed ranks. */
export class ArrayShapeError extends Error {
  override readonly name = 'ArrayShapeError';
  readonly tag = 'ArrayShapeError';
}

/** Why bytes were refused as `.npy`. */
export type NpyFault =
  | 'magic'
  | 'version'
  | 'truncated'
  | 'header'
  | 'dtype'
  | 'big-endian'
  | 'fortran-order'
  | 'size'
  | 'opaque';

/** Bytes that are no `.npy` file that Tidegate can read, or an array that has no `.npy` form. */
export class NpyFormatError extends Error {
  override readonly name = 'NpyFormatError';
  readonly tag = 'NpyFormatError';
  readonly fault: NpyFault;

  constructor(fault: NpyFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** Errors that this package throws. */
export type ArrayError = ArrayShapeError | NpyFormatError;

/** Whether `error` was thrown by this package; narrow further by `tag`. */
export function isArrayError(error: unknown): error is ArrayError {
  return error instanceof ArrayShapeError || error instanceof NpyFormatError;
}
