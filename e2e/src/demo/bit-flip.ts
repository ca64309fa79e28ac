/** A bit of one cell that came out wrong. */
export interface BitFlip {
  /** Place in the array. */
  readonly index: number;
  /** Bit of the float64, 0 the lowest of the fraction, 52 … 62 the exponent. */
  readonly bit: number;
  readonly before: number;
  readonly after: number;
}

const FIRST_EXPONENT_BIT = 52n;
const LAST_EXPONENT_BIT = 62n;
/** Beyond these a flip would go unseen, or leave the range of doubles rather than be wrong in silence. */
const SMALLEST = 0.1;
const LARGEST = 0.5;
const LEAST_FACTOR = 3;

/**
 * Flips one exponent bit of one cell, as a particle that hits the memory would: the cell is the largest one from 0.1 to
 * 0.5, the bit the lowest one that makes it at least three times as large. What comes out is a number like any other, so nothing
 * crashes; it only is wrong.
 *
 * @param cells changed in place; finite
 * @returns undefined where no cell lies in that range
 */
export function flipExponentBit(cells: Float64Array): BitFlip | undefined {
  let index = -1;
  let before = 0;
  for (const [at, value] of cells.entries()) {
    if (value >= SMALLEST && value < LARGEST && value > before) {
      index = at;
      before = value;
    }
  }
  if (index < 0) return undefined;
  for (let bit = FIRST_EXPONENT_BIT; bit <= LAST_EXPONENT_BIT; bit++) {
    const after = withBitFlipped(before, bit);
    if (!(after >= LEAST_FACTOR * before)) continue;
    cells[index] = after;
    return { index, bit: Number(bit), before, after };
  }
  return undefined;
}

function withBitFlipped(value: number, bit: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) ^ (1n << bit));
  return view.getFloat64(0);
}
