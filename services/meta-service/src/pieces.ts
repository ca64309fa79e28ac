import { type Box, coalesce } from '@tidegate/geometry';

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
    for (const box of coalesce(same.map((part) => part.box))) joined.push({ ...first, box });
  }
  return joined;
}
