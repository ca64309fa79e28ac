import type { Box } from '../box.js';
import { BoxIndex } from '../box-index.js';
import { below, seededRandom, shuffle } from './seeded-random.js';

/** Times of a box index that holds the cells of a regular grid, inserted in random order. */
export interface BoxIndexRow {
  readonly dimensions: number;
  /** Number of partitions held. */
  readonly partitions: number;
  /** Mean time of an insert, over the whole growth from nothing, in microseconds. */
  readonly insertMicros: number;
  /** Mean time of an insert over the last tenth of the growth, in microseconds. */
  readonly lastInsertsMicros: number;
  /** Median and 99th percentile of a search for a cube of 0.1 % of the volume, in microseconds. */
  readonly searchP50Micros: number;
  readonly searchP99Micros: number;
  /** Mean number of partitions that a search found. */
  readonly found: number;
}

const CELL = 64;
const SEARCHES = 1000;
const SEARCHED_SHARE = 0.001;

/** One row for each size in 2-D and one in 3-D; the grids are the largest ones with at most so many partitions. */
export function benchBoxIndex(sizes: readonly number[]): BoxIndexRow[] {
  const rows: BoxIndexRow[] = [];
  for (const dimensions of [2, 3]) {
    for (const size of sizes) rows.push(measure(dimensions, Math.floor(size ** (1 / dimensions) + 1e-9)));
  }
  return rows;
}

function measure(dimensions: number, side: number): BoxIndexRow {
  const random = seededRandom(dimensions * 1000 + side);
  const items = gridItems(dimensions, side);
  shuffle(items, random);
  const index = new BoxIndex<{ id: string; box: Box }>();
  const lastFrom = Math.floor(items.length * 0.9);
  const started = performance.now();
  let lastStarted = started;
  for (let i = 0; i < items.length; i++) {
    if (i === lastFrom) lastStarted = performance.now();
    index.insert(items[i] as { id: string; box: Box });
  }
  const ended = performance.now();

  const extent = side * CELL;
  const width = Math.max(1, Math.round(extent * SEARCHED_SHARE ** (1 / dimensions)));
  const times = new Float64Array(SEARCHES);
  let found = 0;
  for (let k = 0; k < SEARCHES; k++) {
    const lower: number[] = [];
    for (let d = 0; d < dimensions; d++) lower.push(below(random, extent - width + 1));
    const box = { lower, upper: lower.map((lo) => lo + width) };
    const before = performance.now();
    found += index.search(box).length;
    times[k] = performance.now() - before;
  }
  times.sort();
  return {
    dimensions,
    partitions: items.length,
    insertMicros: ((ended - started) * 1000) / items.length,
    lastInsertsMicros: ((ended - lastStarted) * 1000) / (items.length - lastFrom),
    searchP50Micros: (times[Math.floor(SEARCHES * 0.5)] as number) * 1000,
    searchP99Micros: (times[Math.floor(SEARCHES * 0.99)] as number) * 1000,
    found: found / SEARCHES,
  };
}

/** The cells of a grid of `side` cells along each dimension, as items with ids. */
export function gridItems(dimensions: number, side: number): { id: string; box: Box }[] {
  const items: { id: string; box: Box }[] = [];
  for (let i = 0; i < side ** dimensions; i++) {
    const lower: number[] = [];
    for (let d = 0, rest = i; d < dimensions; d++, rest = Math.floor(rest / side)) lower.unshift((rest % side) * CELL);
    items.push({ id: String(i), box: { lower, upper: lower.map((lo) => lo + CELL) } });
  }
  return items;
}
