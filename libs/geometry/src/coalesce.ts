import { type Box, intersects, subtract, volume } from './box.js';

/**
 * Merges disjoint boxes: into their hull where they fill it, else those that share a whole face, until no two of them
 * can be merged. The result covers the same cells. Merges run along the fastest dimension first, so rows stay long. Greedy: few boxes, not provably the fewest.
 */
export function coalesce(boxes: readonly Box[]): Box[] {
  if (boxes.length < 2) return boxes.slice();
  const hull = hullOf(boxes);
  const cells = volume(hull);
  // Sums of volumes are exact up to here only.
  if (cells <= Number.MAX_SAFE_INTEGER && boxes.reduce((sum, box) => sum + volume(box), 0) === cells) return [hull];
  let merged = boxes.slice();
  const rank = boxes[0]?.lower.length ?? 0;
  // Stops after a full round of dimensions without a merge; every round before that removed at least one box.
  let idle = 0;
  for (let axis = rank - 1; merged.length > 1 && idle < rank; axis = axis === 0 ? rank - 1 : axis - 1) {
    const before = merged.length;
    merged = mergeAlong(merged, axis);
    idle = merged.length === before ? idle + 1 : 0;
  }
  return merged;
}

/** The smallest box around some boxes. */
function hullOf(boxes: readonly Box[]): Box {
  const lower = boxes[0]?.lower.slice() ?? [];
  const upper = boxes[0]?.upper.slice() ?? [];
  for (const box of boxes) {
    for (let d = 0; d < lower.length; d++) {
      lower[d] = Math.min(lower[d] as number, box.lower[d] as number);
      upper[d] = Math.max(upper[d] as number, box.upper[d] as number);
    }
  }
  return { lower, upper };
}

function mergeAlong(boxes: Box[], axis: number): Box[] {
  boxes.sort((a, b) => compareAcross(a, b, axis) || (a.lower[axis] as number) - (b.lower[axis] as number));
  const merged: Box[] = [];
  let current: Box | undefined;
  for (const box of boxes) {
    if (current !== undefined && current.upper[axis] === box.lower[axis] && compareAcross(current, box, axis) === 0) {
      const upper = current.upper.slice();
      upper[axis] = box.upper[axis] as number;
      current = { lower: current.lower, upper };
      merged[merged.length - 1] = current;
    } else {
      current = box;
      merged.push(box);
    }
  }
  return merged;
}

/** Orders boxes by their extents in all dimensions but `axis`; 0 means that the cross-sections are the same. */
function compareAcross(a: Box, b: Box, axis: number): number {
  for (let d = 0; d < a.lower.length; d++) {
    if (d === axis) continue;
    const lower = (a.lower[d] as number) - (b.lower[d] as number);
    if (lower !== 0) return lower;
    const upper = (a.upper[d] as number) - (b.upper[d] as number);
    if (upper !== 0) return upper;
  }
  return 0;
}

/**
 * A set of disjoint boxes minus `b`: what is left of a waiting query's missing cells when a partition arrives.
 * Boxes that `b` does not touch are passed on as they are.
 */
export function subtractAll(boxes: readonly Box[], b: Box): Box[] {
  const rest: Box[] = [];
  for (const box of boxes) {
    if (!intersects(box, b)) {
      rest.push(box);
      continue;
    }
    for (const part of subtract(box, b)) rest.push(part);
  }
  return rest;
}
