import type { Box } from './box.js';

/** What `carve` found: the visible boxes of each input box, by its position, and the cells in none of them. */
export interface Carving {
  readonly visible: readonly (Box[] | undefined)[];
  readonly missing: readonly Box[];
}

interface Work {
  readonly rank: number;
  /** Corners of all input boxes, `rank` numbers each. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly visible: (Box[] | undefined)[];
  readonly missing: Box[];
  readonly stopAtMissing: boolean;
  readonly samples: Float64Array;
}

/** Below this many boxes, cutting them out one by one is quicker than dividing the region. */
const LEAF = 8;
const SAMPLES = 64;

/**
 * Divides `query` among `boxes` (all of its rank, front first): each cell goes to the first box that contains it.
 *
 * Divide and conquer as in Overmars and Yap, "New upper bounds in Klee's measure problem" (1991), and Chan, "Klee's
 * measure problem made easy" (2013): a region is split at the edges of the boxes that cross it; a box that contains a
 * whole region hides all boxes behind it. n log n steps for boxes on a grid or n copies of one box.
 *
 * A box that no other one hides can still come back in several parts, cut at region borders; they tile it exactly.
 * With `stopAtMissing` the work ends at the first missing cell.
 */
export function carve(query: Box, boxes: readonly Box[], stopAtMissing = false): Carving {
  const rank = query.lower.length;
  const work: Work = {
    rank,
    lo: new Float64Array(boxes.length * rank),
    hi: new Float64Array(boxes.length * rank),
    visible: new Array<Box[] | undefined>(boxes.length).fill(undefined),
    missing: [],
    stopAtMissing,
    samples: new Float64Array(SAMPLES),
  };
  const all: number[] = [];
  for (let i = 0; i < boxes.length; i++) {
    const { lower, upper } = boxes[i] as Box;
    for (let d = 0; d < rank; d++) {
      work.lo[i * rank + d] = lower[d] as number;
      work.hi[i * rank + d] = upper[d] as number;
    }
    all.push(i);
  }
  divide(work, query, membersOf(work, query, all));
  return work;
}

/** The boxes among `candidates` with cells in `region`, up to the first that contains all of it. */
function membersOf(work: Work, region: Box, candidates: readonly number[]): number[] {
  const { rank, lo, hi } = work;
  const members: number[] = [];
  for (let k = 0; k < candidates.length; k++) {
    const i = candidates[k] as number;
    let meets = true;
    let covers = true;
    for (let d = 0, at = i * rank; d < rank; d++, at++) {
      const from = lo[at] as number;
      const to = hi[at] as number;
      const lower = region.lower[d] as number;
      const upper = region.upper[d] as number;
      if (from >= upper || to <= lower) {
        meets = false;
        break;
      }
      if (from > lower || to < upper) covers = false;
    }
    if (!meets) continue;
    members.push(i);
    if (covers) break;
  }
  return members;
}

function divide(work: Work, region: Box, members: readonly number[]): void {
  if (work.stopAtMissing && work.missing.length > 0) return;
  if (members.length <= LEAF) {
    cutOut(work, region, members, 0);
    return;
  }
  const { axis, at } = choosePlane(work, region, members);
  const upper = region.upper.slice();
  upper[axis] = at;
  const below = { lower: region.lower, upper };
  divide(work, below, membersOf(work, below, members));
  const lower = region.lower.slice();
  lower[axis] = at;
  const above = { lower, upper: region.upper };
  divide(work, above, membersOf(work, above, members));
}

/** Gives each member, in order, what it meets of `region`, and goes on with the rest. Depth: at most LEAF. */
function cutOut(work: Work, region: Box, members: readonly number[], from: number): void {
  const { rank, lo, hi } = work;
  for (let k = from; k < members.length; k++) {
    const base = (members[k] as number) * rank;
    if (!meets(work, region, base)) continue;
    let { lower, upper } = region;
    for (let d = 0; d < rank; d++) {
      const start = lo[base + d] as number;
      const end = hi[base + d] as number;
      if ((lower[d] as number) < start) {
        const cut = upper.slice();
        cut[d] = start;
        cutOut(work, { lower, upper: cut }, members, k + 1);
        const rest = lower.slice();
        rest[d] = start;
        lower = rest;
      }
      if ((upper[d] as number) > end) {
        const cut = lower.slice();
        cut[d] = end;
        cutOut(work, { lower: cut, upper }, members, k + 1);
        const rest = upper.slice();
        rest[d] = end;
        upper = rest;
      }
    }
    const owner = members[k] as number;
    const parts = work.visible[owner];
    if (parts === undefined) work.visible[owner] = [{ lower, upper }];
    else parts.push({ lower, upper });
    return;
  }
  work.missing.push(region);
}

function meets(work: Work, region: Box, base: number): boolean {
  for (let d = 0; d < work.rank; d++) {
    if ((work.lo[base + d] as number) >= (region.upper[d] as number)) return false;
    if ((work.hi[base + d] as number) <= (region.lower[d] as number)) return false;
  }
  return true;
}

/**
 * A plane inside `region` along an edge of some member. Per axis the median of a sample of edges is tried; the one
 * that leaves the fewest members on either side, and cuts the fewest, wins.
 */
function choosePlane(work: Work, region: Box, members: readonly number[]): { axis: number; at: number } {
  const { rank, lo, hi } = work;
  let best = { axis: -1, at: 0 };
  let bestScore = Number.POSITIVE_INFINITY;
  for (let axis = 0; axis < rank; axis++) {
    const at = medianEdge(work, region, members, axis);
    if (at === undefined) continue;
    let below = 0;
    let above = 0;
    for (let k = 0; k < members.length; k++) {
      const j = (members[k] as number) * rank + axis;
      if ((lo[j] as number) < at) below++;
      if ((hi[j] as number) > at) above++;
    }
    const score = below + above + Math.max(below, above);
    if (score < bestScore) {
      bestScore = score;
      best = { axis, at };
    }
  }
  return best.axis >= 0 ? best : firstEdge(work, region, members[0] as number);
}

function medianEdge(work: Work, region: Box, members: readonly number[], axis: number): number | undefined {
  const { rank, lo, hi, samples } = work;
  const lower = region.lower[axis] as number;
  const upper = region.upper[axis] as number;
  const tries = Math.min(members.length, SAMPLES / 2);
  let found = 0;
  for (let k = 0; k < tries; k++) {
    // Multiplicative hashing: even strides would meet the same row of a regular grid again and again.
    const pick = members.length <= tries ? k : (Math.imul(k + 1, 0x9e3779b1) >>> 0) % members.length;
    const j = (members[pick] as number) * rank + axis;
    const from = lo[j] as number;
    const to = hi[j] as number;
    if (from > lower) samples[found++] = from;
    if (to < upper) samples[found++] = to;
  }
  if (found === 0) return undefined;
  return samples.subarray(0, found).sort()[found >> 1];
}

/** The first of several members never contains the whole region, so one of its edges lies inside. */
function firstEdge(work: Work, region: Box, member: number): { axis: number; at: number } {
  for (let axis = 0; axis < work.rank; axis++) {
    const from = work.lo[member * work.rank + axis] as number;
    if (from > (region.lower[axis] as number)) return { axis, at: from };
    const to = work.hi[member * work.rank + axis] as number;
    if (to < (region.upper[axis] as number)) return { axis, at: to };
  }
  throw new Error('carve: a member that contains the region was divided');
}
