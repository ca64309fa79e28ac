import { type DType, itemSize } from '@tidegate/array';
import { add, type DoubleDouble, ZERO } from './double-double.js';
import type { BlockStats, KernelSession } from './kernel-instance.js';
import { momentsAround } from './moments.js';
import type { PieceStats } from './piece-result.js';

const LARGEST_PIVOT = 2 ** 511;

/** What is kept of the blocks. */
export interface TallyOptions {
  readonly dtype: DType;
  readonly level: 'extrema' | 'sums' | 'moments';
  readonly positions: boolean;
}

/** Adds up the statistics of a piece, block by block in row-major order. */
export class StatsTally {
  readonly #session: KernelSession;
  readonly #options: TallyOptions;
  readonly #isFloat: boolean;
  #cells = 0;
  #nan = 0;
  #infinite = 0;
  #min: number | bigint | undefined;
  #max: number | bigint | undefined;
  #minAt = -1;
  #maxAt = -1;
  #sum: DoubleDouble = ZERO;
  #squares: DoubleDouble = ZERO;
  #integerSum = 0n;
  #integerSquares = 0n;
  /** The first finite cell whose square is finite too: squares are taken of the distance from it. */
  #pivot: number | undefined;

  constructor(session: KernelSession, options: TallyOptions) {
    this.#session = session;
    this.#options = options;
    this.#isFloat = options.dtype.startsWith('float');
  }

  /** Takes the first `count` cells of the session's block. */
  add(count: number): void {
    const { level } = this.#options;
    const block = this.#session.stats(count, level !== 'extrema');
    this.#nan += block.nan;
    this.#infinite += block.infinite;
    if (block.nan < count) this.#addExtrema(block, count);
    if (level !== 'extrema') this.#addSums(block, count);
    this.#cells += count;
  }

  #addExtrema({ min, max }: BlockStats, count: number): void {
    // Strictly better only: of equal cells the first one counts.
    if (this.#min === undefined || min < this.#min) {
      this.#min = min;
      if (this.#options.positions) this.#minAt = this.#cells + this.#find(min, count);
    }
    if (this.#max === undefined || max > this.#max) {
      this.#max = max;
      if (this.#options.positions) this.#maxAt = this.#cells + this.#find(max, count);
    }
  }

  #find(value: number | bigint, count: number): number {
    const numbers = this.#session.numbers(count);
    return typeof value === 'bigint'
      ? (numbers as BigInt64Array).indexOf(value)
      : (numbers as Float64Array).indexOf(value);
  }

  #addSums({ sum, nan, infinite }: BlockStats, count: number): void {
    const withSquares = this.#options.level === 'moments';
    if (typeof sum === 'bigint') {
      this.#integerSum += sum;
      if (withSquares) this.#integerSquares += this.#session.integerSquares(count, sum);
      return;
    }
    if (!withSquares) {
      this.#sum = add(this.#sum, sum);
      return;
    }
    if (nan + infinite === count) return;
    if (this.#pivot === undefined) this.#pivot = this.#firstFinite(count);
    const moments = this.#session.floatMoments(count, this.#pivot);
    this.#sum = add(this.#sum, moments.sum);
    this.#squares = add(this.#squares, moments.squares);
  }

  #firstFinite(count: number): number {
    // The squares of float32 are exact as they are.
    if (itemSize(this.#options.dtype) === 4) return 0;
    return (this.#session.numbers(count) as Float64Array).find((x) => Math.abs(x) < LARGEST_PIVOT) ?? 0;
  }

  finish(): PieceStats {
    const extrema =
      this.#min === undefined || this.#max === undefined
        ? undefined
        : { min: this.#min, max: this.#max, minAt: this.#minAt, maxAt: this.#maxAt };
    return { nan: this.#nan, infinite: this.#infinite, extrema, moments: this.#moments() };
  }

  #moments(): PieceStats['moments'] {
    const { level } = this.#options;
    if (level === 'extrema') return undefined;
    const count = this.#cells - this.#nan - this.#infinite;
    if (!this.#isFloat) return { count, sum: this.#integerSum, spread: this.#integerSquares };
    if (level === 'sums') return { count, sum: this.#sum, spread: ZERO };
    return momentsAround(this.#pivot ?? 0, { count, sum: this.#sum, squares: this.#squares });
  }
}
