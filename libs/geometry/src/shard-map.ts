import { type Box, boxOfShape, intersect, intersects, volume } from './box.js';
import { coalesce } from './coalesce.js';
import { chooseCounts, curveOrder, type Grid, MAX_GRID_CELLS, makeGrid } from './curve-grid.js';
import { InvalidShardMapError } from './geometry-error.js';

/** Which shard owns which part of a variable's domain. Every cell of the domain belongs to exactly one shard. */
export interface ShardMap {
  /** Number of shards; their numbers are 0 to `shards - 1`. */
  readonly shards: number;
  /** Shards that own any cell, ascending: fewer than `shards` if the domain is tiny. */
  readonly touched: readonly number[];
  /** Shards that own a cell of `box`, ascending. Parts outside the domain belong to nobody. */
  shardsOf(box: Box): readonly number[];
  /** The shard's domain as disjoint boxes, none of which can be merged with another. Empty if it owns nothing. */
  cellsOf(shard: number): readonly Box[];
  /** The parts of `box` that the shard owns, disjoint. Over `shardsOf(box)` they tile the box's part of the domain. */
  clip(box: Box, shard: number): readonly Box[];
  /** Number of cells of the domain that the shard owns. */
  volumeOf(shard: number): number;
}

export interface ShardMapOptions {
  readonly shape: readonly number[];
  readonly shards: number;
  /** Blocks per dimension, dealt to the shards in row-major order, in place of the curve. */
  readonly layout?: readonly number[] | undefined;
}

/** The highest number of shards of a cluster. */
export const MAX_SHARDS = 65_536;

// A run of the curve is off the mean by at most one grid cell, so 16 cells per shard bound the imbalance; small
// clusters get more, for rounder shards, as far as it costs nothing.
const CELLS_PER_SHARD = 16;
const MIN_CELLS = 1024;

/**
 * The shard map of a variable: a pure function of its shape, its layout and the number of shards, so everyone computes
 * the same. The domain is cut into a small grid of near-cubic cells, walked in Hilbert order, and the walk is cut into
 * runs of equal volume. With a `layout`, block `i` of that grid belongs to shard `i mod shards`.
 * @throws InvalidShapeError for a shape that no variable can have.
 * @throws InvalidShardMapError for a number of shards outside 1 to 65536, or a layout that is not of the shape's rank,
 * has a dimension with fewer than 1 or more blocks than cells, or has more than 2^20 blocks.
 */
export function createShardMap(options: ShardMapOptions): ShardMap {
  const { shape, shards, layout } = options;
  const domain = boxOfShape(shape);
  if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
    throw new InvalidShardMapError('shards', `an integer from 1 to ${MAX_SHARDS}`, String(shards));
  }
  if (layout !== undefined) {
    checkLayout(layout, shape);
    const grid = makeGrid(shape, layout.slice());
    const owner = new Uint16Array(grid.size);
    for (let block = 0; block < grid.size; block++) owner[block] = block % shards;
    return new GridShardMap(domain, grid, owner, shards);
  }
  const target = shards === 1 ? 1 : Math.max(MIN_CELLS, shards * CELLS_PER_SHARD);
  const grid = makeGrid(shape, chooseCounts(shape, target));
  return new GridShardMap(domain, grid, cutCurve(grid, volume(domain), shards), shards);
}

function checkLayout(layout: readonly number[], shape: readonly number[]): void {
  let valid = layout.length === shape.length;
  let blocks = 1;
  for (let d = 0; valid && d < shape.length; d++) {
    const count = layout[d] as number;
    blocks *= count;
    valid = Number.isInteger(count) && count >= 1 && count <= (shape[d] as number) && blocks <= MAX_GRID_CELLS;
  }
  if (valid) return;
  const expected = `one positive integer per dimension of [${shape.join(', ')}], none above its size, at most 2^20 blocks`;
  throw new InvalidShardMapError('layout', expected, `[${layout.join(', ')}]`);
}

/** Cuts the walk into runs of equal volume: a cell goes to the shard in whose share of the volume its middle lies. */
function cutCurve(grid: Grid, total: number, shards: number): Uint16Array {
  const owner = new Uint16Array(grid.size);
  let before = 0;
  for (const cell of curveOrder(grid)) {
    const cells = volume(cellBox(grid, cell));
    owner[cell] = Math.min(shards - 1, Math.floor(((before + cells / 2) / total) * shards));
    before += cells;
  }
  return owner;
}

function cellBox(grid: Grid, cell: number): Box {
  const rank = grid.counts.length;
  const lower = new Array<number>(rank).fill(0);
  const upper = lower.slice();
  let rest = cell;
  for (let d = rank - 1; d >= 0; d--) {
    const count = grid.counts[d] as number;
    const i = rest % count;
    rest = (rest - i) / count;
    const cuts = grid.cuts[d] as Float64Array;
    lower[d] = cuts[i] as number;
    upper[d] = cuts[i + 1] as number;
  }
  return { lower, upper };
}

class GridShardMap implements ShardMap {
  readonly shards: number;
  readonly touched: readonly number[];
  readonly #domain: Box;
  readonly #grid: Grid;
  readonly #owner: Uint16Array;
  /** Grid cells by shard: those of shard s are `#cells[#starts[s]]` up to `#cells[#starts[s + 1]]`. */
  readonly #cells: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #volumes: Float64Array;
  readonly #merged: (readonly Box[] | undefined)[];
  /** Scratch of `shardsOf`: the number of the call that last met the shard. */
  readonly #metIn: Float64Array;
  #calls = 0;

  constructor(domain: Box, grid: Grid, owner: Uint16Array, shards: number) {
    this.shards = shards;
    this.#domain = domain;
    this.#grid = grid;
    this.#owner = owner;
    this.#starts = new Uint32Array(shards + 1);
    this.#volumes = new Float64Array(shards);
    this.#merged = new Array<readonly Box[] | undefined>(shards).fill(undefined);
    this.#metIn = new Float64Array(shards);
    this.#cells = new Uint32Array(grid.size);
    for (let cell = 0; cell < owner.length; cell++) {
      const after = (owner[cell] as number) + 1;
      this.#starts[after] = (this.#starts[after] as number) + 1;
    }
    const touched: number[] = [];
    for (let s = 0; s < shards; s++) {
      if ((this.#starts[s + 1] as number) > 0) touched.push(s);
      this.#starts[s + 1] = (this.#starts[s + 1] as number) + (this.#starts[s] as number);
    }
    const next = this.#starts.slice();
    for (let cell = 0; cell < owner.length; cell++) {
      const s = owner[cell] as number;
      const slot = next[s] as number;
      this.#cells[slot] = cell;
      next[s] = slot + 1;
      this.#volumes[s] = (this.#volumes[s] as number) + volume(cellBox(grid, cell));
    }
    this.touched = touched;
  }

  shardsOf(box: Box): readonly number[] {
    const { counts, cuts } = this.#grid;
    const rank = counts.length;
    if (!intersects(box, this.#domain)) return [];
    const first: number[] = [];
    const last: number[] = [];
    let start = 0;
    let whole = true;
    for (let d = 0; d < rank; d++) {
      const edges = cuts[d] as Float64Array;
      const from = cellAt(edges, Math.max(0, box.lower[d] as number));
      const to = cellAt(edges, Math.min(this.#domain.upper[d] as number, box.upper[d] as number) - 1);
      first.push(from);
      last.push(to);
      start = start * (counts[d] as number) + from;
      if (from > 0 || to < (counts[d] as number) - 1) whole = false;
    }
    if (whole) return this.touched;
    return this.#ownersIn(first, last, start);
  }

  /** Walks the grid cells from `first` to `last` (both included) row by row; `start` is the first one's number. */
  #ownersIn(first: readonly number[], last: readonly number[], start: number): number[] {
    const { counts } = this.#grid;
    const inner = counts.length - 1;
    const width = (last[inner] as number) - (first[inner] as number) + 1;
    const at = first.slice();
    const call = ++this.#calls;
    const found: number[] = [];
    let row = start;
    for (;;) {
      for (let cell = row; cell < row + width; cell++) {
        const s = this.#owner[cell] as number;
        if (this.#metIn[s] === call) continue;
        this.#metIn[s] = call;
        found.push(s);
      }
      let d = inner - 1;
      let stride = counts[inner] as number;
      while (d >= 0 && at[d] === last[d]) {
        row -= ((last[d] as number) - (first[d] as number)) * stride;
        at[d] = first[d] as number;
        stride *= counts[d] as number;
        d--;
      }
      if (d < 0) return found.sort(ascending);
      at[d] = (at[d] as number) + 1;
      row += stride;
    }
  }

  cellsOf(shard: number): readonly Box[] {
    this.#check(shard);
    let merged = this.#merged[shard];
    if (merged === undefined) {
      const boxes: Box[] = [];
      const end = this.#starts[shard + 1] as number;
      for (let i = this.#starts[shard] as number; i < end; i++) {
        boxes.push(cellBox(this.#grid, this.#cells[i] as number));
      }
      merged = coalesce(boxes);
      this.#merged[shard] = merged;
    }
    return merged;
  }

  clip(box: Box, shard: number): readonly Box[] {
    const parts: Box[] = [];
    for (const owned of this.cellsOf(shard)) {
      const part = intersect(box, owned);
      if (part !== undefined) parts.push(part);
    }
    return parts;
  }

  volumeOf(shard: number): number {
    this.#check(shard);
    return this.#volumes[shard] as number;
  }

  #check(shard: number): void {
    if (Number.isInteger(shard) && shard >= 0 && shard < this.shards) return;
    throw new RangeError(`shard: expected an integer from 0 to ${this.shards - 1}, got ${shard}`);
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** The cell that contains coordinate `x`, by bisection of the cuts. */
function cellAt(edges: Float64Array, x: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((edges[middle] as number) <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}
