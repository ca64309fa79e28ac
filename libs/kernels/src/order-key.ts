import { type DType, itemSize } from '@tidegate/array';
import type { CellRange } from './cell-range.js';

/** Bits of an order key that one pass tells apart. */
export const DIGIT_BITS = 16;

const scratch = new DataView(new ArrayBuffer(8));

/** The cell whose order key is `key`: the inverse of `orderKey` in assembly/lanes.ts. 64-bit integers as bigint. */
export function keyCell(dtype: DType, key: bigint): number | bigint {
  const bits = BigInt(itemSize(dtype) * 8);
  const sign = 1n << (bits - 1n);
  if (!dtype.startsWith('float')) {
    const value = dtype.startsWith('int') ? key - sign : key;
    return bits === 64n ? value : Number(value);
  }
  const pattern = BigInt.asUintN(Number(bits), (key & sign) === 0n ? ~key : key ^ sign);
  if (bits === 64n) {
    scratch.setBigUint64(0, pattern);
    return scratch.getFloat64(0);
  }
  scratch.setUint32(0, Number(pattern));
  return scratch.getFloat32(0);
}

/**
 * The cells whose order key begins with `prefix` above the digit at `shift`. NaN has keys as well, beyond those of the
 * infinities: they are left out. So is negative zero, which counts as zero. Undefined where no cell is left.
 */
export function prefixRange(
  dtype: DType,
  { prefix, shift }: { readonly prefix: bigint; readonly shift: number },
): CellRange | undefined {
  const bits = BigInt(itemSize(dtype) * 8);
  const below = BigInt(shift + DIGIT_BITS);
  let low = below >= bits ? 0n : prefix << below;
  let high = below >= bits ? (1n << bits) - 1n : ((prefix + 1n) << below) - 1n;
  if (dtype.startsWith('float')) {
    const sign = 1n << (bits - 1n);
    const infinity = bits === 64n ? 0x7ffn << 52n : 0xffn << 23n;
    const [least, greatest] = [sign - 1n - infinity, sign + infinity];
    if (low < least) low = least;
    if (high > greatest) high = greatest;
    if (high === sign - 1n) high--;
  }
  if (low > high || high >= 1n << bits) return undefined;
  return { low: keyCell(dtype, low), high: keyCell(dtype, high) };
}
