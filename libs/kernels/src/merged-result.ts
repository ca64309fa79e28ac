import type { Box } from '@tidegate/geometry';
import { add, ZERO } from './double-double.js';
import { type Moments, mergeMoments } from './moments.js';
import type { Difference, Failure, PieceResult, PieceStats } from './piece-result.js';

/** One piece of a box with its result. */
export interface ResultPiece {
  readonly box: Box;
  readonly result: PieceResult;
}

/** Statistics of several pieces; positions as coordinates in the domain. */
export interface MergedStats {
  readonly nan: number;
  readonly infinite: number;
  readonly min: number | bigint | undefined;
  readonly max: number | bigint | undefined;
  readonly minAt: readonly number[];
  readonly maxAt: readonly number[];
  readonly moments: Moments | undefined;
}

/** Coordinates in the domain of the cell at a row-major position of a box. */
function coordinatesOf(box: Box, position: number): number[] {
  const coordinates = box.lower.slice();
  let rest = position;
  for (let d = coordinates.length - 1; d >= 0; d--) {
    const extent = (box.upper[d] ?? 0) - (box.lower[d] ?? 0);
    coordinates[d] = (coordinates[d] ?? 0) + (rest % extent);
    rest = Math.floor(rest / extent);
  }
  return coordinates;
}

/** Lexicographic order of coordinates, which is the row-major order of the cells of a domain. */
export function compareCoordinates(a: readonly number[], b: readonly number[]): number {
  for (let d = 0; d < a.length; d++) {
    const apart = (a[d] ?? 0) - (b[d] ?? 0);
    if (apart !== 0) return apart;
  }
  return 0;
}

/** Statistics of all pieces together, merged in the order given. Undefined where none were computed. */
export function mergeStats(pieces: readonly ResultPiece[]): MergedStats | undefined {
  let merged: MergedStats | undefined;
  for (const { box, result } of pieces) {
    if (result.stats === undefined) return undefined;
    const next = located(box, result.stats);
    merged = merged === undefined ? next : mergeTwo(merged, next);
  }
  return merged;
}

function located(box: Box, { nan, infinite, extrema, moments }: PieceStats): MergedStats {
  const at = (position: number) => (position < 0 ? [] : coordinatesOf(box, position));
  return {
    nan,
    infinite,
    min: extrema?.min,
    max: extrema?.max,
    minAt: at(extrema?.minAt ?? -1),
    maxAt: at(extrema?.maxAt ?? -1),
    moments,
  };
}

function mergeTwo(a: MergedStats, b: MergedStats): MergedStats {
  const [min, minAt] = better([a.min, a.minAt], [b.min, b.minAt], (x, y) => x < y);
  const [max, maxAt] = better([a.max, a.maxAt], [b.max, b.maxAt], (x, y) => x > y);
  const moments = a.moments && b.moments && mergeMoments(a.moments, b.moments);
  return { nan: a.nan + b.nan, infinite: a.infinite + b.infinite, min, max, minAt, maxAt, moments };
}

type Candidate = readonly [value: number | bigint | undefined, at: readonly number[]];

/** The one that comes first; of equal ones that at the lower coordinates. */
function better(a: Candidate, b: Candidate, before: (x: number | bigint, y: number | bigint) => boolean): Candidate {
  if (a[0] === undefined) return b;
  if (b[0] === undefined || before(a[0], b[0])) return a;
  if (before(b[0], a[0])) return b;
  return compareCoordinates(a[1], b[1]) <= 0 ? a : b;
}

/** Differences of all pieces together; the first failure where there is one. */
export function mergeDifferences(pieces: readonly ResultPiece[]): Difference | Failure | undefined {
  let merged: Difference = { compared: 0, largest: 0, squares: ZERO };
  for (const { result } of pieces) {
    const next = result.difference;
    if (next === undefined || 'failure' in next) return next;
    // bigint or double: there is no Math.max for both.
    const isLarger = next.largest > merged.largest;
    merged = {
      compared: merged.compared + next.compared,
      largest: isLarger ? next.largest : merged.largest,
      squares: add(merged.squares, next.squares),
    };
  }
  return merged;
}

/** Sums of lists of equal length. */
export function addUp(lists: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = lists;
  const sums = first.slice();
  for (const list of others) for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (list[i] ?? 0);
  return sums;
}
