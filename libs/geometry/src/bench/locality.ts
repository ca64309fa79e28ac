import { type Box, boxOfShape, volume } from '../box.js';
import { createShardMap, type ShardMap } from '../shard-map.js';
import { below, seededRandom } from './seeded-random.js';

/** How many shards a box of 1/64 of the domain touches: the number of messages that a put or a query costs. */
export interface LocalityRow {
  readonly shape: readonly number[];
  readonly shards: number;
  /** Mean number of shards touched with the shard map of this library. */
  readonly hilbert: number;
  /** The same with the domain's cells in row-major order, cut into equal runs. */
  readonly rowMajor: number;
  /** Largest volume of a shard over the mean. */
  readonly imbalance: number;
  /** Mean time of `shardsOf` for these boxes, in microseconds. */
  readonly shardsOfMicros: number;
  /** Time to construct the map, in milliseconds: the median of several. */
  readonly constructMillis: number;
}

/** The shapes that the balance of shards is promised for. */
export const LOCALITY_SHAPES: readonly (readonly number[])[] = [
  [1_048_576],
  [4096, 4096],
  [1024, 16, 1],
  [100, 37, 211],
  [512, 512, 512],
  [64, 64, 64, 8],
];

const BUILDS = 5;

/** One row for each shape with 16 and with 64 shards, averaged over so many random boxes. */
export function localityTable(boxes = 2000): LocalityRow[] {
  const rows: LocalityRow[] = [];
  for (const shape of LOCALITY_SHAPES) for (const shards of [16, 64]) rows.push(measure(shape, shards, boxes));
  return rows;
}

function measure(shape: readonly number[], shards: number, count: number): LocalityRow {
  const random = seededRandom(shards);
  const builds: number[] = [];
  let map: ShardMap = createShardMap({ shape, shards });
  for (let i = 0; i < BUILDS; i++) {
    const started = performance.now();
    map = createShardMap({ shape, shards });
    builds.push(performance.now() - started);
  }
  builds.sort((a, b) => a - b);

  const boxes = Array.from({ length: count }, () => boxOfShare(random, shape));
  let rowMajor = 0;
  for (const box of boxes) rowMajor += rowMajorShards(box, shape, shards);
  let hilbert = 0;
  const started = performance.now();
  for (const box of boxes) hilbert += map.shardsOf(box).length;
  const elapsed = performance.now() - started;

  let largest = 0;
  for (let shard = 0; shard < shards; shard++) largest = Math.max(largest, map.volumeOf(shard));
  return {
    shape,
    shards,
    hilbert: hilbert / count,
    rowMajor: rowMajor / count,
    imbalance: largest / (volume(boxOfShape(shape)) / shards),
    shardsOfMicros: (elapsed * 1000) / count,
    constructMillis: builds[BUILDS >> 1] as number,
  };
}

/** A near-cubic box of 1/64 of the volume at a random place: the longest side is halved six times. */
function boxOfShare(random: () => number, shape: readonly number[]): Box {
  const sides = shape.slice();
  for (let halvings = 0; halvings < 6; halvings++) {
    const longest = sides.indexOf(Math.max(...sides));
    sides[longest] = Math.max(1, (sides[longest] as number) / 2);
  }
  const extents = sides.map((side) => Math.max(1, Math.round(side)));
  const lower = shape.map((size, d) => below(random, size - (extents[d] as number) + 1));
  return { lower, upper: lower.map((lo, d) => lo + (extents[d] as number)) };
}

/** Number of equal runs of the row-major domain that a box has cells in. Each row of the box is one range of it. */
function rowMajorShards(box: Box, shape: readonly number[], shards: number): number {
  const total = volume(boxOfShape(shape));
  const inner = shape.length - 1;
  const width = (box.upper[inner] as number) - (box.lower[inner] as number);
  const met = new Uint8Array(shards);
  const walk = (d: number, base: number): void => {
    if (d < inner) {
      const size = shape[d] as number;
      for (let i = box.lower[d] as number; i < (box.upper[d] as number); i++) walk(d + 1, base * size + i);
      return;
    }
    const from = base * (shape[inner] as number) + (box.lower[inner] as number);
    const first = Math.floor((from * shards) / total);
    const last = Math.floor(((from + width - 1) * shards) / total);
    for (let shard = first; shard <= last; shard++) met[shard] = 1;
  };
  walk(0, 0);
  let count = 0;
  for (const flag of met) count += flag;
  return count;
}
