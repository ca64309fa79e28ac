import type { Box } from '@tidegate/geometry';
import fc from 'fast-check';

/** A box and two boxes around it, as three packed arrays see the same cells. */
export interface NestedBoxes {
  readonly box: Box;
  readonly sourceBox: Box;
  readonly targetBox: Box;
}

const margin = fc.integer({ min: 0, max: 2 });
const range = fc.record({
  lower: fc.integer({ min: 2, max: 6 }),
  extent: fc.integer({ min: 1, max: 4 }),
  source: fc.tuple(margin, margin),
  target: fc.tuple(margin, margin),
});

/** Random nested boxes in 1 to 4 dimensions; margins are often zero, so that dimensions merge. */
export const nestedBoxes: fc.Arbitrary<NestedBoxes> = fc.array(range, { minLength: 1, maxLength: 4 }).map((ranges) => ({
  box: { lower: ranges.map((r) => r.lower), upper: ranges.map((r) => r.lower + r.extent) },
  sourceBox: {
    lower: ranges.map((r) => r.lower - r.source[0]),
    upper: ranges.map((r) => r.lower + r.extent + r.source[1]),
  },
  targetBox: {
    lower: ranges.map((r) => r.lower - r.target[0]),
    upper: ranges.map((r) => r.lower + r.extent + r.target[1]),
  },
}));

/** Every cell of a box, in row-major order. */
export function cellsOf(box: Box): number[][] {
  let cells: number[][] = [[]];
  for (let d = 0; d < box.lower.length; d++) {
    const next: number[][] = [];
    for (const cell of cells) {
      for (let i = box.lower[d] ?? 0; i < (box.upper[d] ?? 0); i++) next.push([...cell, i]);
    }
    cells = next;
  }
  return cells;
}

/** Place of a cell in the packed array over a box. */
export function cellIndex(cell: readonly number[], box: Box): number {
  return cell.reduce((index, i, d) => {
    const lower = box.lower[d] ?? 0;
    return index * ((box.upper[d] ?? 0) - lower) + i - lower;
  }, 0);
}
