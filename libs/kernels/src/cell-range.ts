import { type DType, itemSize } from '@tidegate/array';

/** Bounds as they stand in a definition: cells above one value, below another, or between them. */
export interface Bounds {
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

/** An inclusive range of cells of one dtype; 64-bit integers as bigint. */
export interface CellRange {
  readonly low: number | bigint;
  readonly high: number | bigint;
}

/**
 * The cells x of `dtype` with above < x < below, as an inclusive range, so that the comparison needs no conversion and
 * is exact for 64-bit integers as well. Undefined where no cell fits.
 */
export function cellRange(dtype: DType, { above, below }: Bounds): CellRange | undefined {
  let range: CellRange;
  if (dtype === 'float64') {
    range = {
      low: above === undefined ? -Infinity : nextUp(above),
      high: below === undefined ? Infinity : -nextUp(-below),
    };
  } else if (dtype === 'float32') {
    range = {
      low: above === undefined ? -Infinity : nextFloat32(above),
      high: below === undefined ? Infinity : -nextFloat32(-below),
    };
  } else {
    range = integerRange(dtype, { above, below });
  }
  return range.low <= range.high ? range : undefined;
}

function integerRange(dtype: DType, { above, below }: Bounds): CellRange {
  const bits = BigInt(itemSize(dtype) * 8);
  const isSigned = dtype.startsWith('int');
  const least = isSigned ? -(1n << (bits - 1n)) : 0n;
  const greatest = isSigned ? (1n << (bits - 1n)) - 1n : dtype === 'bool' ? 1n : (1n << bits) - 1n;
  const low = above === undefined ? least : BigInt(Math.floor(above)) + 1n;
  const high = below === undefined ? greatest : BigInt(Math.ceil(below)) - 1n;
  const range = { low: low > least ? low : least, high: high < greatest ? high : greatest };
  return bits === 64n ? range : { low: Number(range.low), high: Number(range.high) };
}

const bits64 = new DataView(new ArrayBuffer(8));

/** The least double above `x`. */
function nextUp(x: number): number {
  if (x === Infinity) return x;
  if (x === 0) return Number.MIN_VALUE;
  bits64.setFloat64(0, x);
  bits64.setBigInt64(0, bits64.getBigInt64(0) + (x > 0 ? 1n : -1n));
  return bits64.getFloat64(0);
}

/** The least float32 above `x`. */
function nextFloat32(x: number): number {
  const nearest = Math.fround(x);
  if (nearest > x || nearest === Infinity) return nearest;
  if (nearest === 0) return 2 ** -149;
  bits64.setFloat32(0, nearest);
  bits64.setInt32(0, bits64.getInt32(0) + (nearest > 0 ? 1 : -1));
  return bits64.getFloat32(0);
}
