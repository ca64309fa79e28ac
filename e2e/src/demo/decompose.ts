import { type Box, boxOfShape, volume } from '@tidegate/geometry';

/**
 * Cuts a domain into exactly `parts` blocks of nearly equal volume that are as close to cubes as bisecting the longest
 * side gets; any number of parts will do, a prime one too. The blocks are disjoint and tile the domain.
 *
 * @param skew moves every cut by this fraction of the side that it cuts, up and down in turn, so that the blocks are
 *   unequal and their faces do not line up; 0 by default
 * @throws RangeError unless `parts` is an integer from 1 to the number of cells
 */
export function decompose(shape: readonly number[], parts: number, skew = 0): Box[] {
  const domain = boxOfShape(shape);
  if (!Number.isInteger(parts) || parts < 1 || parts > volume(domain)) {
    throw new RangeError(`expected 1 to ${volume(domain)} parts, got ${parts}`);
  }
  const blocks: Box[] = [];
  bisect(domain, parts, skew, blocks);
  return blocks;
}

function bisect(box: Box, parts: number, skew: number, blocks: Box[]): void {
  if (parts === 1) {
    blocks.push(box);
    return;
  }
  const lengths = box.lower.map((lower, d) => (box.upper[d] as number) - lower);
  const longest = lengths.indexOf(Math.max(...lengths));
  const length = lengths[longest] as number;
  const half = Math.floor(parts / 2);
  const cut = Math.min(Math.max(Math.round((length * half) / parts + length * skew), 1), length - 1);
  const layer = volume(box) / length;
  // A side may hold fewer cells than its share of the parts; the other side then takes the rest.
  const below = Math.min(Math.max(half, parts - (length - cut) * layer), cut * layer);
  const at = (box.lower[longest] as number) + cut;
  bisect({ lower: box.lower, upper: box.upper.with(longest, at) }, below, -skew, blocks);
  bisect({ lower: box.lower.with(longest, at), upper: box.upper }, parts - below, skew, blocks);
}
