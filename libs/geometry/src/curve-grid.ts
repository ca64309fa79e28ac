import { hilbertIndex } from './hilbert.js';

/** The cells that a domain is cut into. Cell `i` along dimension `d` is `cuts[d][i]` to `cuts[d][i + 1]`. */
export interface Grid {
  readonly counts: readonly number[];
  readonly cuts: readonly Float64Array[];
  /** Number of cells, at most MAX_GRID_CELLS, numbered row-major. */
  readonly size: number;
}

/** Bounds the memory of a shard map. */
export const MAX_GRID_CELLS = 2 ** 20;

/** Cuts `shape` into `counts` cells per dimension, each as equal to its neighbours as whole numbers allow. */
export function makeGrid(shape: readonly number[], counts: readonly number[]): Grid {
  const cuts: Float64Array[] = [];
  let size = 1;
  for (let d = 0; d < shape.length; d++) {
    const extent = shape[d] as number;
    const count = counts[d] as number;
    const whole = Math.floor(extent / count);
    const spare = extent % count;
    const edges = new Float64Array(count + 1);
    // floor(i * extent / count), without a product that could exceed 2^53.
    for (let i = 0; i <= count; i++) edges[i] = i * whole + Math.floor((i * spare) / count);
    cuts.push(edges);
    size *= count;
  }
  return { counts, cuts, size };
}

/**
 * Cells per dimension for at least `target` cells (as far as the shape has so many), near cubic: the longest side is
 * halved until there are enough. Powers of two wherever the shape allows, which keeps runs of the curve compact.
 */
export function chooseCounts(shape: readonly number[], target: number): number[] {
  const counts = shape.map(() => 1);
  let size = 1;
  while (size < target) {
    let longest = -1;
    let side = 1;
    for (let d = 0; d < shape.length; d++) {
      const current = (shape[d] as number) / (counts[d] as number);
      if (current > side) {
        side = current;
        longest = d;
      }
    }
    if (longest < 0) break;
    const count = counts[longest] as number;
    const next = Math.min(count * 2, shape[longest] as number);
    counts[longest] = next;
    size = (size / count) * next;
  }
  return counts;
}

/**
 * The grid's cells in the order of the curve. Dimensions of one cell are left out, the longest comes first, and along
 * it whole Hilbert cubes are strung together as high as the second longest is: each ends where the next one starts.
 * Cells of a cube that the grid does not have are skipped.
 */
export function curveOrder(grid: Grid): Uint32Array {
  const { counts, size } = grid;
  const axes = counts.map((_, d) => d).filter((d) => (counts[d] as number) > 1);
  axes.sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b);
  const first = axes[0];
  const second = axes[1];
  const order = new Uint32Array(size);
  if (first === undefined || second === undefined) return order.map((_, cell) => cell);

  const bits = Math.ceil(Math.log2(counts[second] as number));
  const cube = 2 ** bits;
  const cubeCells = cube ** axes.length;
  const keys = new Float64Array(size);
  const at = counts.map(() => 0);
  const inner = axes.map(() => 0);
  for (let cell = 0; cell < size; cell++) {
    for (let k = 0; k < axes.length; k++) inner[k] = (at[axes[k] as number] as number) % cube;
    const block = Math.floor((at[first] as number) / cube);
    keys[cell] = block * cubeCells + hilbertIndex(inner, bits);
    order[cell] = cell;
    advance(at, counts);
  }
  return order.sort((a, b) => (keys[a] as number) - (keys[b] as number));
}

/** The next cell's coordinates in row-major order. */
function advance(at: number[], counts: readonly number[]): void {
  for (let d = at.length - 1; d >= 0; d--) {
    const next = (at[d] as number) + 1;
    if (next < (counts[d] as number)) {
      at[d] = next;
      return;
    }
    at[d] = 0;
  }
}
