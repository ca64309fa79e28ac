import { type DType, itemSize, type TypedView, typedView } from '@tidegate/array';
import type { CellRange } from './cell-range.js';
import type { DoubleDouble } from './double-double.js';
import { KERNEL_CODE } from './kernel-code.js';

/** Cells are taken through the kernels in blocks that stay in the second-level cache. */
export const BLOCK_BYTES = 262_144;

const PAGE = 65_536;
// The memory: parameters and results, two blocks of cells, a byte for each of the smallest cells, tables.
const BOUNDS = 64;
const RESULTS = 128;
const CELLS = PAGE;
const OTHER_CELLS = CELLS + BLOCK_BYTES;
const MASK = OTHER_CELLS + BLOCK_BYTES;
const TABLES = MASK + BLOCK_BYTES;

const SUFFIXES = {
  bool: 'u8',
  int8: 'i8',
  int16: 'i16',
  int32: 'i32',
  int64: 'i64',
  uint8: 'u8',
  uint16: 'u16',
  uint32: 'u32',
  uint64: 'u64',
  float32: 'f32',
  float64: 'f64',
} as const;

type RealDType = keyof typeof SUFFIXES;

interface Passes {
  stats(data: number, cells: number, out: number, withSum: number): void;
  moments(data: number, cells: number, out: number, pivot: number): void;
  countRange(data: number, cells: number, bounds: number): number;
  maskRange(data: number, cells: number, bounds: number, out: number): void;
  histogram(data: number, cells: number, lower: number, upper: number, bins: number, out: number): void;
  countDigits(data: number, cells: number, bounds: number, shift: number, out: number): void;
  difference(data: number, other: number, cells: number, out: number, withSquares: number): void;
}

const PASSES = ['stats', 'moments', 'countRange', 'maskRange', 'histogram', 'countDigits', 'difference'] as const;

/** What one block adds to the statistics of a piece. */
export interface BlockStats {
  readonly nan: number;
  readonly infinite: number;
  readonly min: number | bigint;
  readonly max: number | bigint;
  /** Of the finite cells; not after a pass for the extrema alone. */
  readonly sum: DoubleDouble | bigint;
}

let compiled: WebAssembly.Module | undefined;

function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNEL_CODE, 'base64'));
  return compiled;
}

function isRealDType(dtype: DType): dtype is RealDType {
  return Object.hasOwn(SUFFIXES, dtype);
}

/**
 * The built-in kernels over a memory of their own: cells go into `cells` a block at a time, then the passes run on
 * them.
 */
export class KernelInstance {
  readonly #memory = new WebAssembly.Memory({ initial: TABLES / PAGE });
  readonly #exports: Readonly<Record<string, unknown>>;
  #view = new DataView(this.#memory.buffer);

  constructor() {
    const { exports } = new WebAssembly.Instance(kernelModule(), { env: { memory: this.#memory } });
    this.#exports = exports;
  }

  /** The passes for one dtype. The tables hold `tableEntries` counters, which are set to zero. */
  session(dtype: DType, tableEntries: number): KernelSession {
    if (!isRealDType(dtype)) throw new TypeError(`there are no kernels for ${dtype}`);
    const missing = TABLES + tableEntries * 4 - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE));
      this.#view = new DataView(this.#memory.buffer);
    }
    const suffix = SUFFIXES[dtype];
    const passes = Object.fromEntries(PASSES.map((pass) => [pass, this.#exports[`${pass}_${suffix}`]]));
    const buffer = this.#memory.buffer;
    new Uint32Array(buffer, TABLES, tableEntries).fill(0);
    return new KernelSession(dtype, { passes: passes as unknown as Passes, view: this.#view, buffer });
  }
}

/** One dtype's passes over the block that is in `cells`. Not to be used any more once another session was begun. */
export class KernelSession {
  /** The block, and the one that it is compared with. */
  readonly cells: Uint8Array;
  readonly otherCells: Uint8Array;
  readonly #dtype: RealDType;
  readonly #passes: Passes;
  readonly #view: DataView;
  readonly #buffer: ArrayBuffer;
  readonly #isFloat: boolean;
  readonly #isWide: boolean;

  constructor(dtype: RealDType, options: { passes: Passes; view: DataView; buffer: ArrayBuffer }) {
    this.#dtype = dtype;
    this.#passes = options.passes;
    this.#view = options.view;
    this.#buffer = options.buffer;
    this.#isFloat = dtype.startsWith('float');
    this.#isWide = !this.#isFloat && itemSize(dtype) === 8;
    this.cells = new Uint8Array(options.buffer, CELLS, BLOCK_BYTES);
    this.otherCells = new Uint8Array(options.buffer, OTHER_CELLS, BLOCK_BYTES);
  }

  /** The first `count` cells of the block as numbers. */
  numbers(count: number): TypedView {
    return typedView(this.cells.subarray(0, count * itemSize(this.#dtype)), this.#dtype);
  }

  #integer(at: number): number | bigint {
    if (!this.#isWide) return Number(this.#view.getBigInt64(at, true));
    return this.#dtype === 'uint64' ? this.#view.getBigUint64(at, true) : this.#view.getBigInt64(at, true);
  }

  #doubleDouble(at: number): DoubleDouble {
    return { high: this.#view.getFloat64(at, true), low: this.#view.getFloat64(at + 8, true) };
  }

  /** A sum of 64-bit pieces: the first, and 2^32 times the second. */
  #split(at: number): bigint {
    return this.#view.getBigInt64(at, true) + (this.#view.getBigInt64(at + 8, true) << 32n);
  }

  stats(count: number, withSum: boolean): BlockStats {
    this.#passes.stats(CELLS, count, RESULTS, withSum ? 1 : 0);
    const view = this.#view;
    if (!this.#isFloat) {
      const [min, max] = [this.#integer(RESULTS), this.#integer(RESULTS + 8)];
      return { nan: 0, infinite: 0, min, max, sum: this.#split(RESULTS + 32) };
    }
    const nan = Number(view.getBigInt64(RESULTS + 24, true));
    return {
      nan,
      infinite: count - nan - Number(view.getBigInt64(RESULTS + 16, true)),
      min: view.getFloat64(RESULTS, true),
      max: view.getFloat64(RESULTS + 8, true),
      sum: this.#doubleDouble(RESULTS + 32),
    };
  }

  /** Sums of (x - pivot) and of its square over the finite cells of a float block. float32 takes no pivot. */
  floatMoments(count: number, pivot: number): { readonly sum: DoubleDouble; readonly squares: DoubleDouble } {
    this.#passes.moments(CELLS, count, RESULTS, pivot);
    return { sum: this.#doubleDouble(RESULTS), squares: this.#doubleDouble(RESULTS + 16) };
  }

  /** The sum of the squares of an integer block whose sum is `sum`. */
  integerSquares(count: number, sum: bigint): bigint {
    this.#passes.moments(CELLS, count, RESULTS, 0);
    const shifted = this.#split(RESULTS) + (this.#split(RESULTS + 16) << 33n) + (this.#split(RESULTS + 32) << 64n);
    // Of uint64 the kernel squares x - 2^63: x^2 = that + 2^64 x - 2^126.
    return this.#dtype === 'uint64' ? shifted + (sum << 64n) - (BigInt(count) << 126n) : shifted;
  }

  #setBounds({ low, high }: CellRange): void {
    const view = this.#view;
    for (const [at, value] of [
      [BOUNDS, low],
      [BOUNDS + 8, high],
    ] as const) {
      if (this.#dtype === 'float64') view.setFloat64(at, Number(value), true);
      else if (this.#dtype === 'float32') view.setFloat32(at, Number(value), true);
      else view.setBigInt64(at, BigInt(value), true);
    }
  }

  countRange(count: number, range: CellRange): number {
    this.#setBounds(range);
    return this.#passes.countRange(CELLS, count, BOUNDS);
  }

  /** A byte for each cell: 1 inside the range, 0 outside. Overwritten by the next call. */
  maskRange(count: number, range: CellRange): Uint8Array {
    this.#setBounds(range);
    this.#passes.maskRange(CELLS, count, BOUNDS, MASK);
    return new Uint8Array(this.#buffer, MASK, count);
  }

  /** Adds to the counters from `table` on. */
  histogram(
    count: number,
    { lower, upper, bins }: { lower: number; upper: number; bins: number },
    table: number,
  ): void {
    this.#passes.histogram(CELLS, count, lower, upper, bins, TABLES + table * 4);
  }

  /** Adds to the counters from `table` on the cells of a range, by 16 bits of their order key above `shift`. */
  countDigits(count: number, { range, shift }: { range: CellRange; shift: number }, table: number): void {
    this.#setBounds(range);
    this.#passes.countDigits(CELLS, count, BOUNDS, shift, TABLES + table * 4);
  }

  /** Counters `from` … `from` + `length` - 1 of the tables. */
  table(from: number, length: number): Uint32Array {
    return new Uint32Array(this.#buffer, TABLES + from * 4, length);
  }

  /** Compares the block with the other one. */
  difference(count: number, withSquares: boolean) {
    this.#passes.difference(CELLS, OTHER_CELLS, count, RESULTS, withSquares || this.#isWide ? 1 : 0);
    return {
      largest: this.#isWide ? this.#view.getBigUint64(RESULTS, true) : this.#view.getFloat64(RESULTS, true),
      compared: Number(this.#view.getBigInt64(RESULTS + 8, true)),
      squares: this.#doubleDouble(RESULTS + 16),
    };
  }
}
