import { type Box, contains, intersect, volume } from './box.js';
import { carve } from './carve.js';
import { coalesce } from './coalesce.js';

/** The parts of a queried box by the partition that has their newest data, and the parts that no partition has. */
export interface Tiling<P> {
  /** Disjoint, newest partition first; together with `missing` they tile the query exactly. */
  readonly pieces: readonly { readonly box: Box; readonly partition: P }[];
  /** Disjoint and coalesced; empty if the query is covered. */
  readonly missing: readonly Box[];
}

export interface TileOptions {
  /** The caller's promise that no two of the partitions overlap. It saves time and does not change the answer. */
  readonly disjoint?: boolean;
}

/**
 * Answers what covers a box: every cell of `query` belongs to the newest partition (the first in `newestFirst`) that
 * contains it. Exact for partial overlaps, contained boxes, slivers and duplicates in 1 to 6 dimensions. Partitions of
 * another rank than `query` are passed over.
 */
export function tile<P extends { readonly box: Box }>(
  query: Box,
  newestFirst: readonly P[],
  options?: TileOptions,
): Tiling<P> {
  const { partitions, clips } = clip(query, newestFirst);
  const pieces: { readonly box: Box; readonly partition: P }[] = [];
  if (options?.disjoint === true) {
    for (let i = 0; i < clips.length; i++) pieces.push({ box: clips[i] as Box, partition: partitions[i] as P });
    const missing = addUpTo(clips, query) ? [] : carve(query, clips).missing;
    return { pieces, missing: coalesce(missing) };
  }
  const { visible, missing } = carve(query, clips);
  for (let i = 0; i < clips.length; i++) {
    const parts = visible[i];
    if (parts === undefined) continue;
    const partition = partitions[i] as P;
    if (parts.length === 1) pieces.push({ box: parts[0] as Box, partition });
    else if (addUpTo(parts, clips[i] as Box)) pieces.push({ box: clips[i] as Box, partition });
    else for (const box of coalesce(parts)) pieces.push({ box, partition });
  }
  return { pieces, missing: coalesce(missing) };
}

/** True if `tile` would report nothing missing; ends at the first missing cell. */
export function isCovered<P extends { readonly box: Box }>(
  query: Box,
  newestFirst: readonly P[],
  options?: TileOptions,
): boolean {
  const { clips } = clip(query, newestFirst);
  if (options?.disjoint === true && volume(query) <= Number.MAX_SAFE_INTEGER) return addUpTo(clips, query);
  return carve(query, clips, true).missing.length === 0;
}

/** The partitions that touch the query, with their parts inside it; those behind one that covers it all are left out. */
function clip<P extends { readonly box: Box }>(
  query: Box,
  newestFirst: readonly P[],
): { partitions: P[]; clips: Box[] } {
  const partitions: P[] = [];
  const clips: Box[] = [];
  for (const partition of newestFirst) {
    const part = intersect(query, partition.box);
    if (part === undefined) continue;
    partitions.push(partition);
    clips.push(part);
    if (contains(partition.box, query)) break;
  }
  return { partitions, clips };
}

/** True if the volumes of disjoint parts of `whole` prove that they tile it; volumes that are not exact prove nothing. */
function addUpTo(parts: readonly Box[], whole: Box): boolean {
  const cells = volume(whole);
  if (cells > Number.MAX_SAFE_INTEGER) return false;
  let sum = 0;
  for (let i = 0; i < parts.length; i++) sum += volume(parts[i] as Box);
  return sum === cells;
}
