import { type Box, contains, shapeOf, subtract, volume } from '@tidegate/geometry';

/** One part of the frame around a writer's box. */
export interface HaloBox {
  /** Where its cells are in the domain: a plain box, wrapped already. */
  readonly box: Box;
  /** Where they go in the padded local array, whose first cell is `width` before the box in every dimension. */
  readonly place: Box;
}

/** The padded local array: the box grown by `width` on all sides, with its first cell at the origin. */
export function paddedBox(box: Box, width: number): Box {
  const upper = shapeOf(box).map((length) => length + 2 * width);
  return { lower: upper.map(() => 0), upper };
}

/** Where the cells of the box itself are in the padded local array. */
export function corePlace(box: Box, width: number): Box {
  const shape = shapeOf(box);
  return { lower: shape.map(() => width), upper: shape.map((length) => length + width) };
}

/**
 * The frame of `width` cells around `box` in a periodic domain, corners included, as disjoint boxes inside the domain.
 * Their places tile the padded local array but for the box. A box that spans a dimension meets its own cells there, and
 * a frame wider than the domain wraps more than once.
 *
 * @param shape extents of the domain
 * @param width cells on each side, at least 1
 */
export function haloBoxes(box: Box, shape: readonly number[], width = 1): readonly HaloBox[] {
  if (!Number.isInteger(width) || width < 1) throw new RangeError(`expected a halo of at least 1 cell, got ${width}`);
  const origin = box.lower.map((lower) => lower - width);
  const halos: HaloBox[] = [];
  for (const slab of subtract(paddedBox(box, width), corePlace(box, width))) {
    let parts: HaloBox[] = [{ box: { lower: [], upper: [] }, place: { lower: [], upper: [] } }];
    for (let d = 0; d < shape.length; d++) {
      const segments = wrap(slab.lower[d] as number, slab.upper[d] as number, origin[d] as number, shape[d] as number);
      parts = parts.flatMap((part) =>
        segments.map(({ from, to, at }) => ({
          box: append(part.box, at, at + to - from),
          place: append(part.place, from, to),
        })),
      );
    }
    halos.push(...parts);
  }
  return halos;
}

/**
 * What has to be got for a frame: boxes of which every halo is a part, the largest first, without those halos that are
 * part of another one or of `own`, whose cells are at hand. Frames around a box that spans a dimension repeat themselves.
 */
export function sourceBoxes(halos: readonly HaloBox[], own: Box): readonly Box[] {
  const sources: Box[] = [];
  const boxes = halos.map(({ box }) => box).filter((box) => !contains(own, box));
  for (const box of boxes.sort((a, b) => volume(b) - volume(a))) {
    if (!sources.some((source) => contains(source, box))) sources.push(box);
  }
  return sources;
}

/** Cuts the local range [from, to) where it crosses the end of a periodic dimension; `at` is a segment's global start. */
function wrap(from: number, to: number, origin: number, length: number): { from: number; to: number; at: number }[] {
  const segments: { from: number; to: number; at: number }[] = [];
  for (let start = from; start < to; ) {
    const at = (((start + origin) % length) + length) % length;
    const end = Math.min(to, start + length - at);
    segments.push({ from: start, to: end, at });
    start = end;
  }
  return segments;
}

function append(box: Box, lower: number, upper: number): Box {
  return { lower: [...box.lower, lower], upper: [...box.upper, upper] };
}
