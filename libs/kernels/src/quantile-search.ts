import { type DType, itemSize } from '@tidegate/array';
import { DIGIT_BITS, keyCell } from './order-key.js';
import type { DigitQuery } from './round-spec.js';

/** Counters of one pass. */
export const DIGITS = 1 << DIGIT_BITS;

/** Cells counted by digit: one counter for each of the `DIGITS`. */
export type DigitCounts = ArrayLike<number>;

/** The search of one order statistic: `rank` (from 0) among the cells whose key begins with `prefix`. */
interface Search {
  readonly prefix: bigint;
  readonly rank: number;
}

/** The query that a search of any quantile of `dtype` begins with. */
export function firstDigits(dtype: DType): DigitQuery {
  return { prefix: '0', shift: Math.max(0, itemSize(dtype) * 8 - DIGIT_BITS) };
}

/**
 * Exact quantiles by radix selection over order-preserving keys, 16 bits a pass: the counts of a pass say in which
 * digit the wanted ranks lie, the next one looks only there. Counts of several pieces may be added up, so the result
 * does not depend on the partitioning. Interpolation is linear between the two closest ranks, as numpy's default.
 */
export class QuantileSearch {
  readonly #dtype: DType;
  readonly #quantiles: readonly number[];
  #shift: number;
  /** Two for each quantile, once the number of cells is known. */
  #searches: Search[] | undefined;
  #cells = 0;
  #isDone = false;

  constructor(dtype: DType, quantiles: readonly number[]) {
    this.#dtype = dtype;
    this.#quantiles = quantiles;
    this.#shift = firstDigits(dtype).shift;
  }

  /** What has to be counted now; none when done. */
  queries(): DigitQuery[] {
    if (this.#isDone || this.#quantiles.length === 0) return [];
    if (this.#searches === undefined) return [firstDigits(this.#dtype)];
    return this.#prefixes().map((prefix) => ({ prefix: prefix.toString(16), shift: this.#shift }));
  }

  #prefixes(): bigint[] {
    return [...new Set(this.#searches?.map(({ prefix }) => prefix) ?? [0n])];
  }

  /** Takes the counts of `queries()`, in that order. */
  accept(counts: readonly DigitCounts[]): void {
    const order = this.#prefixes();
    this.#searches ??= this.#begin(counts[0] ?? []);
    this.#searches = this.#searches.map((search) => narrow(search, counts[order.indexOf(search.prefix)] ?? []));
    this.#isDone = this.#shift === 0 || this.#cells === 0;
    this.#shift = Math.max(0, this.#shift - DIGIT_BITS);
  }

  #begin(counts: DigitCounts): Search[] {
    for (let digit = 0; digit < counts.length; digit++) this.#cells += counts[digit] ?? 0;
    const last = Math.max(0, this.#cells - 1);
    return this.#quantiles.flatMap((q) => {
      const lower = Math.floor(q * last);
      return [lower, Math.min(lower + 1, last)].map((rank) => ({ prefix: 0n, rank }));
    });
  }

  /** The quantiles, in the order asked for; undefined without a cell. */
  values(): (number | undefined)[] {
    if (this.#cells === 0) return this.#quantiles.map(() => undefined);
    return this.#quantiles.map((q, at) => {
      const lower = Number(keyCell(this.#dtype, this.#searches?.[2 * at]?.prefix ?? 0n));
      const upper = Number(keyCell(this.#dtype, this.#searches?.[2 * at + 1]?.prefix ?? 0n));
      const place = q * (this.#cells - 1);
      return interpolate(lower, upper, place - Math.floor(place));
    });
  }
}

function narrow({ prefix, rank }: Search, counts: DigitCounts): Search {
  let left = rank;
  for (let digit = 0; digit < counts.length; digit++) {
    const count = counts[digit] ?? 0;
    if (left < count) return { prefix: (prefix << BigInt(DIGIT_BITS)) | BigInt(digit), rank: left };
    left -= count;
  }
  return { prefix, rank };
}

/** As numpy does it: from the nearer end, so that both ends are met exactly. NaN between the two infinities. */
function interpolate(lower: number, upper: number, part: number): number {
  if (part === 0 || lower === upper) return lower;
  const apart = upper - lower;
  // An infinite end, or a distance beyond the range of float64.
  if (apart === Infinity) return lower * (1 - part) + upper * part;
  return part < 0.5 ? lower + apart * part : upper - apart * (1 - part);
}
