/** Base of all errors that this library throws for bad input. The message names what was expected and what came. */
export class GeometryError extends Error {
  override readonly name: string = 'GeometryError';
  readonly expected: string;
  readonly actual: string;

  constructor(subject: string, expected: string, actual: string) {
    super(`${subject}: expected ${expected}, got ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** A text that is not a box in the form `lo:hi,lo:hi`. */
export class BoxSyntaxError extends GeometryError {
  override readonly name = 'BoxSyntaxError';
}

/** Corners that do not form a box: wrong rank, not integers, or empty along some dimension. */
export class InvalidBoxError extends GeometryError {
  override readonly name = 'InvalidBoxError';
}

/** A shape that no variable can have: wrong rank, a size below 1, or more than 2^53-1 cells. */
export class InvalidShapeError extends GeometryError {
  override readonly name = 'InvalidShapeError';
}

/** A number of shards or a layout that cannot be applied to the shape. */
export class InvalidShardMapError extends GeometryError {
  override readonly name = 'InvalidShardMapError';
}

/** True for every error that this library throws for bad input. */
export function isGeometryError(error: unknown): error is GeometryError {
  return error instanceof GeometryError;
}
