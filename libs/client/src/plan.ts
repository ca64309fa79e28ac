import { type Box, coalesce, formatBox, parseBox } from '@tidegate/geometry';
import type { PartitionId, Piece, RawId, Tier } from '@tidegate/protocol';

/** A part of a plan: `box` of partition `id`, to be read at `raw`. */
export interface PlannedPiece {
  readonly id: PartitionId;
  readonly box: Box;
  readonly raw: RawId;
  readonly tier: Tier;
  /** Of the whole partition. */
  readonly bytes: number;
}

/**
 * Joins the pieces of one partition that came from several shards, so that it is read once and not once a shard.
 * Disjoint pieces stay disjoint and keep their union; an opaque partition, told whole by each shard, stays one.
 */
export function joinPieces(pieces: readonly Piece[]): readonly PlannedPiece[] {
  const byPartition = new Map<string, { readonly piece: Piece; readonly boxes: Box[]; readonly texts: Set<string> }>();
  for (const piece of pieces) {
    const key = `${piece.raw} ${piece.id}`;
    const known = byPartition.get(key);
    if (known?.texts.has(piece.box)) continue;
    known?.boxes.push(parseBox(piece.box));
    known?.texts.add(piece.box);
    if (!known) byPartition.set(key, { piece, boxes: [parseBox(piece.box)], texts: new Set([piece.box]) });
  }
  const joined: PlannedPiece[] = [];
  for (const { piece, boxes } of byPartition.values()) {
    for (const box of coalesce(boxes)) joined.push({ ...piece, box });
  }
  return joined;
}

/** Missing boxes told by several shards, joined; the count is that of the joined list unless a shard cut its own. */
export function joinMissing(lists: readonly { readonly missing: readonly string[]; readonly missingCount: number }[]): {
  readonly missing: readonly string[];
  readonly missingCount: number;
} {
  let listed = 0;
  let counted = 0;
  const boxes: Box[] = [];
  for (const list of lists) {
    for (const text of list.missing) boxes.push(parseBox(text));
    listed += list.missing.length;
    counted += list.missingCount;
  }
  const joined = coalesce(boxes);
  return { missing: joined.slice(0, 64).map(formatBox), missingCount: joined.length + counted - listed };
}

/** The two halves of a box along its longest dimension; undefined for a single cell. */
export function halves(box: Box): readonly [Box, Box] | undefined {
  let axis = 0;
  let longest = 0;
  for (let a = 0; a < box.lower.length; a++) {
    const size = (box.upper[a] ?? 0) - (box.lower[a] ?? 0);
    if (size > longest) [longest, axis] = [size, a];
  }
  if (longest < 2) return undefined;
  const middle = (box.lower[axis] ?? 0) + Math.floor(longest / 2);
  return [
    { lower: box.lower, upper: box.upper.map((value, a) => (a === axis ? middle : value)) },
    { lower: box.lower.map((value, a) => (a === axis ? middle : value)), upper: box.upper },
  ];
}
