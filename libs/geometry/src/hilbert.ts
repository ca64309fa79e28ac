/*
 * J. Skilling, "Programming the Hilbert curve", AIP Conference Proceedings 707 (2004): coordinates are turned into the
 * "transposed" index in place, whose bits are then interleaved, first dimension first. The published inverse runs its
 * last loop down to 0 and reads X[-1]; it has to end at 1.
 *
 * Dropping the lowest k bits of all coordinates drops the lowest k * dimensions bits of the index, so that the cells
 * of a coarser grid are ranges of the finer grid's curve. The curve starts at the origin and ends at the far end of
 * the first axis.
 */

/**
 * Position of a cell on the Hilbert curve through a cube of `2^bits` cells along each of `coords.length` dimensions.
 * Neighbouring positions are neighbouring cells.
 * @throws RangeError unless there are 1 to 6 coordinates, each an integer in [0, 2^bits), and bits * dimensions is at
 * most 53, so that the position is a safe integer.
 */
export function hilbertIndex(coords: readonly number[], bits: number): number {
  const n = coords.length;
  checkSize(n, bits);
  const side = 2 ** bits;
  for (let i = 0; i < n; i++) {
    const c = coords[i] as number;
    if (!Number.isInteger(c) || c < 0 || c >= side) {
      throw new RangeError(`hilbertIndex: expected integers in [0, ${side}), got [${coords.join(', ')}]`);
    }
  }
  if (n === 1) return coords[0] as number;
  const x = coords.slice();
  for (let q = 2 ** (bits - 1); q > 1; q /= 2) {
    for (let i = 0; i < n; i++) exchange(x, i, q);
  }
  for (let i = 1; i < n; i++) x[i] = (x[i] as number) ^ (x[i - 1] as number);
  let t = 0;
  for (let q = 2 ** (bits - 1); q > 1; q /= 2) {
    if (((x[n - 1] as number) & q) !== 0) t ^= q - 1;
  }
  let index = 0;
  for (let bit = bits - 1; bit >= 0; bit--) {
    for (let i = 0; i < n; i++) index = index * 2 + ((((x[i] as number) ^ t) >>> bit) & 1);
  }
  return index;
}

/**
 * The cell at a position of the curve: the inverse of `hilbertIndex`.
 * @throws RangeError for sizes that `hilbertIndex` rejects, or an index outside [0, 2^(bits * dimensions)).
 */
export function hilbertCoords(index: number, bits: number, dimensions: number): number[] {
  const n = dimensions;
  checkSize(n, bits);
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** (bits * n)) {
    throw new RangeError(`hilbertCoords: expected an integer in [0, 2^${bits * n}), got ${index}`);
  }
  if (n === 1) return [index];
  const x = new Array<number>(n).fill(0);
  let rest = index;
  for (let bit = 0; bit < bits; bit++) {
    for (let i = n - 1; i >= 0; i--) {
      x[i] = (x[i] as number) | ((rest % 2) << bit);
      rest = Math.floor(rest / 2);
    }
  }
  const t = (x[n - 1] as number) >>> 1;
  for (let i = n - 1; i > 0; i--) x[i] = (x[i] as number) ^ (x[i - 1] as number);
  x[0] = (x[0] as number) ^ t;
  const side = 2 ** bits;
  for (let q = 2; q < side; q *= 2) {
    for (let i = n - 1; i >= 0; i--) exchange(x, i, q);
  }
  return x;
}

/** One step of undoing the excess work: inverts or exchanges the bits below `q`, by bit `q` of coordinate `i`. */
function exchange(x: number[], i: number, q: number): void {
  const below = q - 1;
  const first = x[0] as number;
  const current = x[i] as number;
  if ((current & q) !== 0) {
    x[0] = first ^ below;
    return;
  }
  const t = (first ^ current) & below;
  x[0] = first ^ t;
  x[i] = (x[i] as number) ^ t;
}

// From two dimensions on, 53 bits leave at most 26 per coordinate: 32-bit operations are exact.
function checkSize(dimensions: number, bits: number): void {
  const valid = Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= 6 && Number.isInteger(bits);
  if (!valid || bits < 0 || bits * dimensions > 53) {
    throw new RangeError(
      `Hilbert curve: expected 1 to 6 dimensions and at most 53 bits in all, got ${dimensions} of ${bits} bits`,
    );
  }
}
