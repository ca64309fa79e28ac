import { type Box, boxOfShape } from '../box.js';
import { type TileOptions, tile } from '../tile.js';
import { gridItems } from './box-index.js';
import { below, seededRandom, shuffle } from './seeded-random.js';

/** Time of one `tile` call. */
export interface TileRow {
  readonly name: string;
  readonly partitions: number;
  readonly pieces: number;
  readonly missing: number;
  /** Median of several calls, in milliseconds. */
  readonly millis: number;
}

const ROUNDS = 7;

/** The common cases (disjoint partitions of a grid, whole or with gaps) and the hard ones (copies, random overlaps). */
export function benchTile(): TileRow[] {
  const random = seededRandom(99);
  const grid = shuffle(gridItems(3, 22), random);
  const domain = boxOfShape([22 * 64, 22 * 64, 22 * 64]);
  const copies = grid.map(() => ({ box: domain }));
  const overlapping = Array.from({ length: 2000 }, () => {
    const lower = domain.upper.map((size) => below(random, size - 250));
    return { box: { lower, upper: lower.map((lo) => lo + 1 + below(random, 250)) } };
  });
  return [
    measure('grid, promised disjoint', domain, grid, { disjoint: true }),
    measure('grid', domain, grid),
    measure('half of the grid, promised disjoint', domain, grid.slice(0, grid.length / 2), { disjoint: true }),
    measure('half of the grid', domain, grid.slice(0, grid.length / 2)),
    measure('copies of one box', domain, copies),
    measure('random overlaps', domain, overlapping),
  ];
}

function measure(name: string, query: Box, partitions: readonly { box: Box }[], options?: TileOptions): TileRow {
  const times: number[] = [];
  let tiling = tile(query, partitions, options);
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    tiling = tile(query, partitions, options);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return {
    name,
    partitions: partitions.length,
    pieces: tiling.pieces.length,
    missing: tiling.missing.length,
    millis: times[ROUNDS >> 1] as number,
  };
}
