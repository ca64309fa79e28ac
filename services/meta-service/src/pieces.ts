import { type Box, coalesce, volume } from '@tidegate/geometry';

/** Part of a partition. */
export interface Part {
  readonly id: string;
  readonly box: Box;
}

/**
 * Joins the parts of each partition, cut at the borders of shards, to as few boxes as is cheap to find. The partitions
 * keep the order of their first parts.
 *
 * @param parts disjoint
 */
export function joinParts<P extends Part>(parts: readonly P[]): P[] {
  const byId = new Map<string, P[]>();
  for (const part of parts) {
    const same = byId.get(part.id);
    if (same === undefined) byId.set(part.id, [part]);
    else same.push(part);
  }
  if (byId.size === parts.length) return parts.slice();
  const joined: P[] = [];
  for (const same of byId.values()) {
    const [first] = same;
    if (first === undefined) continue;
    for (const box of joinBoxes(same.map((part) => part.box))) joined.push({ ...first, box });
  }
  return joined;
}

/** Disjoint boxes as fewer ones: mostly they make up one box, which their volumes prove. */
export function joinBoxes(boxes: readonly Box[]): readonly Box[] {
  if (boxes.length < 2) return boxes;
  const bound = boundOf(boxes);
  let cells = 0;
  for (const box of boxes) cells += volume(box);
  return cells === volume(bound) && cells <= Number.MAX_SAFE_INTEGER ? [bound] : coalesce(boxes);
}

function boundOf(boxes: readonly Box[]): Box {
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
