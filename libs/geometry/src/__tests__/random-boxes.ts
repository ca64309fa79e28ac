import { below, shuffle } from '../bench/seeded-random.js';
import type { Box } from '../box.js';

/** A random box inside a domain of the given shape. */
export function randomBox(random: () => number, shape: readonly number[]): Box {
  const lower: number[] = [];
  const upper: number[] = [];
  for (const size of shape) {
    const from = below(random, size);
    lower.push(from);
    upper.push(from + 1 + below(random, size - from));
  }
  return { lower, upper };
}

/** A box that is one cell thick along one dimension and long along the others. */
export function sliver(random: () => number, shape: readonly number[]): Box {
  const { lower, upper } = randomBox(random, shape);
  const thin = below(random, shape.length);
  return {
    lower: lower.map((lo, d) => (d === thin ? lo : 0)),
    upper: upper.map((_, d) => (d === thin ? (lower[d] as number) + 1 : (shape[d] as number))),
  };
}

/** At most `parts` disjoint boxes that tile `box`, by random cuts, in random order. */
export function randomTiling(random: () => number, box: Box, parts: number): Box[] {
  const boxes = [box];
  for (let tries = 0; boxes.length < parts && tries < 3 * parts; tries++) {
    const i = below(random, boxes.length);
    const { lower, upper } = boxes[i] as Box;
    const d = below(random, lower.length);
    const extent = (upper[d] as number) - (lower[d] as number);
    if (extent < 2) continue;
    const at = (lower[d] as number) + 1 + below(random, extent - 1);
    boxes[i] = { lower, upper: upper.map((hi, k) => (k === d ? at : hi)) };
    boxes.push({ lower: lower.map((lo, k) => (k === d ? at : lo)), upper });
  }
  return shuffle(boxes, random);
}

/** Calls `visit` with the row-major number of each cell of `box` in a domain of the given shape. */
export function eachCell(box: Box, shape: readonly number[], visit: (cell: number) => void): void {
  const walk = (d: number, base: number): void => {
    if (d === shape.length) {
      visit(base);
      return;
    }
    const size = shape[d] as number;
    for (let i = box.lower[d] as number; i < (box.upper[d] as number); i++) walk(d + 1, base * size + i);
  };
  walk(0, 0);
}
