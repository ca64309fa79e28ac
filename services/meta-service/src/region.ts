import { type Box, BoxIndex, formatBox, type ShardMap, volume } from '@tidegate/geometry';

/** Above this many boxes an overlap is found by index instead of by scan. */
const SCAN_LIMIT = 48;

/** The part of a box that lies in some shards: what one request asks one owner about. */
export interface Region {
  /** Equal for equal regions of one variable. */
  readonly key: string;
  /** Disjoint. A single box where the shards contain all of it. */
  readonly boxes: readonly Box[];
  /** Number of cells. */
  readonly cells: number;
  /** Contains all boxes. */
  readonly bound: Box;
  readonly parts: BoxIndex<{ readonly id: string; readonly box: Box }> | undefined;
}

/**
 * The part of `box` that `shards` own.
 *
 * @param box inside the variable's domain
 */
export function regionOf(map: ShardMap, box: Box, shards: readonly number[]): Region {
  const listed = new Set(shards);
  const touched = map.shardsOf(box);
  if (touched.every((shard) => listed.has(shard))) {
    return { key: formatBox(box), boxes: [box], cells: volume(box), bound: box, parts: undefined };
  }
  const mine = touched.filter((shard) => listed.has(shard));
  const boxes = mine.flatMap((shard) => map.clip(box, shard));
  let cells = 0;
  for (const part of boxes) cells += volume(part);
  let parts: Region['parts'];
  if (boxes.length > SCAN_LIMIT) {
    parts = new BoxIndex();
    for (const [i, part] of boxes.entries()) parts.insert({ id: String(i), box: part });
  }
  return { key: `${formatBox(box)}/${mine.join('.')}`, boxes, cells, bound: box, parts };
}

/** Number of the region's cells in `box`. */
export function cellsIn(region: Region, box: Box): number {
  if (region.parts !== undefined) {
    let cells = 0;
    for (const part of region.parts.search(box)) cells += overlap(part.box, box);
    return cells;
  }
  let cells = 0;
  for (let i = 0; i < region.boxes.length; i++) cells += overlap(region.boxes[i] as Box, box);
  return cells;
}

/** Number of cells that two boxes of one rank share, without making the box. */
function overlap(a: Box, b: Box): number {
  let cells = 1;
  for (let d = 0; d < a.lower.length; d++) {
    const lower = Math.max(a.lower[d] as number, b.lower[d] as number);
    const upper = Math.min(a.upper[d] as number, b.upper[d] as number);
    if (upper <= lower) return 0;
    cells *= upper - lower;
  }
  return cells;
}
