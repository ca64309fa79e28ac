import { BoxSyntaxError, InvalidBoxError, InvalidShapeError } from './geometry-error.js';

/** Half-open n-dimensional bounding box of 1 to 6 dimensions, row-major: the first dimension is the slowest. */
export interface Box {
  /** First index inside, per dimension. */
  readonly lower: readonly number[];
  /** First index outside, per dimension; always above `lower`. */
  readonly upper: readonly number[];
}

/** The highest rank of a variable. */
export const MAX_DIMENSIONS = 6;

const RANGE = /^(0|[1-9][0-9]{0,15}):(0|[1-9][0-9]{0,15})$/;
// Six ranges of two 16-digit numbers and a colon each, with five commas between them.
const MAX_TEXT_LENGTH = MAX_DIMENSIONS * 33 + MAX_DIMENSIONS - 1;
const EXPECTED_TEXT = `"lo:hi" for 1 to ${MAX_DIMENSIONS} dimensions, joined by commas, decimal, 0 <= lo < hi < 2^53`;

/**
 * Reads the text form `lo:hi,lo:hi`. Only the canonical form is accepted (no spaces, signs or leading zeros), so that
 * `formatBox(parseBox(text)) === text`.
 * @throws BoxSyntaxError
 */
export function parseBox(text: string): Box {
  if (text.length > MAX_TEXT_LENGTH) throw badText(text);
  const ranges = text.split(',');
  if (ranges.length > MAX_DIMENSIONS) throw badText(text);
  const lower: number[] = [];
  const upper: number[] = [];
  for (const range of ranges) {
    const match = RANGE.exec(range);
    if (match === null) throw badText(text);
    const lo = Number(match[1]);
    const hi = Number(match[2]);
    if (lo >= hi || hi > Number.MAX_SAFE_INTEGER) throw badText(text);
    lower.push(lo);
    upper.push(hi);
  }
  return { lower, upper };
}

function badText(text: string): BoxSyntaxError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new BoxSyntaxError('box', EXPECTED_TEXT, JSON.stringify(shown));
}

/** The canonical text form, `lo:hi,lo:hi`. */
export function formatBox(box: Box): string {
  let text = `${box.lower[0]}:${box.upper[0]}`;
  for (let d = 1; d < box.lower.length; d++) text += `,${box.lower[d]}:${box.upper[d]}`;
  return text;
}

/**
 * A box from its corners, which are checked and copied.
 * @throws InvalidBoxError unless both have the same 1 to 6 entries, all safe integers with 0 <= lower < upper.
 */
export function makeBox(lower: readonly number[], upper: readonly number[]): Box {
  const rank = lower.length;
  let valid = rank >= 1 && rank <= MAX_DIMENSIONS && upper.length === rank;
  for (let d = 0; valid && d < rank; d++) {
    const lo = lower[d] as number;
    const hi = upper[d] as number;
    valid = Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo >= 0 && lo < hi;
  }
  if (!valid) {
    const expected = `1 to ${MAX_DIMENSIONS} safe integers each, 0 <= lower < upper`;
    throw new InvalidBoxError('box', expected, `lower [${lower.join(', ')}], upper [${upper.join(', ')}]`);
  }
  return { lower: lower.slice(), upper: upper.slice() };
}

/**
 * The whole domain of a variable: from the origin to `shape`.
 * @throws InvalidShapeError unless `shape` has 1 to 6 positive integers whose product is at most 2^53-1.
 */
export function boxOfShape(shape: readonly number[]): Box {
  const rank = shape.length;
  let valid = rank >= 1 && rank <= MAX_DIMENSIONS;
  let cells = 1;
  for (let d = 0; valid && d < rank; d++) {
    const size = shape[d] as number;
    cells *= size;
    valid = Number.isSafeInteger(size) && size >= 1 && cells <= Number.MAX_SAFE_INTEGER;
  }
  if (!valid) {
    const expected = `1 to ${MAX_DIMENSIONS} positive integers with a product of at most 2^53-1`;
    throw new InvalidShapeError('shape', expected, `[${shape.join(', ')}]`);
  }
  return { lower: new Array<number>(rank).fill(0), upper: shape.slice() };
}

/** Number of cells. Exact up to 2^53-1, as for every box inside a valid domain; rounded above. */
export function volume(box: Box): number {
  const { lower, upper } = box;
  let cells = 1;
  for (let d = 0; d < lower.length; d++) cells *= (upper[d] as number) - (lower[d] as number);
  return cells;
}

/** Number of cells along each dimension. */
export function shapeOf(box: Box): number[] {
  const { lower, upper } = box;
  const shape: number[] = [];
  for (let d = 0; d < lower.length; d++) shape.push((upper[d] as number) - (lower[d] as number));
  return shape;
}

/** True if both boxes have the same rank and corners. */
export function equals(a: Box, b: Box): boolean {
  if (a.lower.length !== b.lower.length) return false;
  for (let d = 0; d < a.lower.length; d++) {
    if (a.lower[d] !== b.lower[d] || a.upper[d] !== b.upper[d]) return false;
  }
  return true;
}

/** True if every cell of `inner` is in `outer`. Boxes of different rank contain nothing of each other. */
export function contains(outer: Box, inner: Box): boolean {
  const rank = outer.lower.length;
  if (inner.lower.length !== rank) return false;
  for (let d = 0; d < rank; d++) {
    if ((inner.lower[d] as number) < (outer.lower[d] as number)) return false;
    if ((inner.upper[d] as number) > (outer.upper[d] as number)) return false;
  }
  return true;
}

/** True if the boxes share a cell: touching faces do not count. Boxes of different rank never intersect. */
export function intersects(a: Box, b: Box): boolean {
  const rank = a.lower.length;
  if (b.lower.length !== rank) return false;
  for (let d = 0; d < rank; d++) {
    if ((a.lower[d] as number) >= (b.upper[d] as number)) return false;
    if ((b.lower[d] as number) >= (a.upper[d] as number)) return false;
  }
  return true;
}

/** The cells that both boxes share, or undefined if there are none. */
export function intersect(a: Box, b: Box): Box | undefined {
  if (!intersects(a, b)) return undefined;
  const lower: number[] = [];
  const upper: number[] = [];
  for (let d = 0; d < a.lower.length; d++) {
    lower.push(Math.max(a.lower[d] as number, b.lower[d] as number));
    upper.push(Math.min(a.upper[d] as number, b.upper[d] as number));
  }
  return { lower, upper };
}

/**
 * The cells of `a` that are not in `b`, as at most two disjoint boxes per dimension. Slabs are cut off along the
 * slowest dimension first, so the larger parts stay contiguous in row-major order.
 */
export function subtract(a: Box, b: Box): Box[] {
  if (!intersects(a, b)) return [a];
  const parts: Box[] = [];
  let rest = a;
  for (let d = 0; d < a.lower.length; d++) {
    const from = b.lower[d] as number;
    const to = b.upper[d] as number;
    if ((rest.lower[d] as number) < from) {
      parts.push(withUpper(rest, d, from));
      rest = withLower(rest, d, from);
    }
    if ((rest.upper[d] as number) > to) {
      parts.push(withLower(rest, d, to));
      rest = withUpper(rest, d, to);
    }
  }
  return parts;
}

function withLower(box: Box, dimension: number, value: number): Box {
  const lower = box.lower.slice();
  lower[dimension] = value;
  return { lower, upper: box.upper };
}

function withUpper(box: Box, dimension: number, value: number): Box {
  const upper = box.upper.slice();
  upper[dimension] = value;
  return { lower: box.lower, upper };
}

/** True if `box` has the rank of `shape` and lies inside the domain from the origin to `shape`. */
export function within(box: Box, shape: readonly number[]): boolean {
  const { lower, upper } = box;
  if (lower.length !== shape.length) return false;
  for (let d = 0; d < lower.length; d++) {
    if ((lower[d] as number) < 0 || (upper[d] as number) > (shape[d] as number)) return false;
  }
  return true;
}
