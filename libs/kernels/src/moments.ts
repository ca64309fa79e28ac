import { add, type DoubleDouble, divide, multiply, negate, scale, toNumber, ZERO } from './double-double.js';

/**
 * Count, sum and spread of cells. Floats: `spread` is the sum of the squared distances from the mean. Integers are
 * exact: `spread` is the sum of the squares, so that merging is adding.
 */
export type Moments =
  | { readonly count: number; readonly sum: DoubleDouble; readonly spread: DoubleDouble }
  | { readonly count: number; readonly sum: bigint; readonly spread: bigint };

export const NO_FLOATS: Moments = { count: 0, sum: ZERO, spread: ZERO };
export const NO_INTEGERS: Moments = { count: 0, sum: 0n, spread: 0n };

/**
 * Moments from sums over `count` cells x of (x - pivot) and its square. Carried in double-double, so that cancellation
 * costs nothing that shows in a double.
 */
export function momentsAround(
  pivot: number,
  { count, sum, squares }: { count: number; sum: DoubleDouble; squares: DoubleDouble },
): Moments {
  if (count === 0) return NO_FLOATS;
  return {
    count,
    sum: add(sum, scale({ high: pivot, low: 0 }, count)),
    spread: add(squares, negate(divide(multiply(sum, sum), count))),
  };
}

/** Moments of both sets of cells (Chan, Golub and LeVeque 1979, in double-double). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const count = a.count + b.count;
  if (typeof a.sum === 'bigint' || typeof b.sum === 'bigint') {
    if (typeof a.sum !== 'bigint' || typeof b.sum !== 'bigint') throw new TypeError('integers and floats do not merge');
    return { count, sum: a.sum + b.sum, spread: (a.spread as bigint) + (b.spread as bigint) };
  }
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const apart = add(divide(b.sum, b.count), negate(divide(a.sum, a.count)));
  const between = divide(scale(scale(multiply(apart, apart), a.count), b.count), count);
  const within = add(a.spread as DoubleDouble, b.spread as DoubleDouble);
  return { count, sum: add(a.sum, b.sum), spread: add(within, between) };
}

export function sumOf({ sum }: Moments): number {
  return typeof sum === 'bigint' ? Number(sum) : toNumber(sum);
}

/** NaN without cells. */
export function meanOf({ count, sum }: Moments): number {
  if (count === 0) return Number.NaN;
  return typeof sum === 'bigint' ? ratio(sum, BigInt(count)) : toNumber(divide(sum, count));
}

/** Population variance (divided by the count); NaN without cells. */
export function varianceOf(moments: Moments): number {
  const { count } = moments;
  if (count === 0) return Number.NaN;
  if (typeof moments.sum !== 'bigint') {
    // Rounding can leave a negative trace of zero.
    return Math.max(0, toNumber(divide(moments.spread as DoubleDouble, count)));
  }
  const cells = BigInt(count);
  return ratio(cells * (moments.spread as bigint) - moments.sum * moments.sum, cells * cells);
}

/** Bits of the quotient that `ratio` keeps: enough for one rounding. */
const QUOTIENT_BITS = 128;

/** `numerator` / `denominator` as a double. */
function ratio(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -ratio(-numerator, denominator);
  const shift = Math.max(0, QUOTIENT_BITS - (bitLength(numerator) - bitLength(denominator)));
  return Number((numerator << BigInt(shift)) / denominator) / 2 ** shift;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}
