import { type Box, makeBox, shapeOf, volume } from '@tidegate/geometry';
import type { SeededRandom } from '@tidegate/testing';

/** Cuts a domain into disjoint boxes of unequal sizes that together fill it: as simulations do that balance load. */
export function unevenBoxes(shape: readonly number[], count: number, random: SeededRandom): readonly Box[] {
  const boxes: Box[] = [
    makeBox(
      shape.map(() => 0),
      shape,
    ),
  ];
  while (boxes.length < count) {
    const candidates = boxes.filter((box) => volume(box) > 1);
    // One of the three largest, so that none of them stays huge.
    const chosen = random.pick(candidates.sort((a, b) => volume(b) - volume(a)).slice(0, 3));
    const sizes = shapeOf(chosen);
    const axis = random.pick(sizes.map((_, at) => at).filter((at) => (sizes[at] ?? 0) > 1));
    const cut = (chosen.lower[axis] ?? 0) + random.int(1, sizes[axis] ?? 2);
    const cutAt = (corner: readonly number[]) => corner.map((value, at) => (at === axis ? cut : value));
    boxes.splice(
      boxes.indexOf(chosen),
      1,
      makeBox(chosen.lower, cutAt(chosen.upper)),
      makeBox(cutAt(chosen.lower), chosen.upper),
    );
  }
  return boxes;
}

/** A box somewhere inside a domain, of at least one cell. */
export function randomBox(shape: readonly number[], random: SeededRandom): Box {
  const lower = shape.map((size) => random.int(0, size));
  const upper = shape.map((size, axis) => random.int((lower[axis] ?? 0) + 1, size + 1));
  return makeBox(lower, upper);
}
