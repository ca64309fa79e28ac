import { describe, expect, test } from '@jest/globals';
import { chooseCounts, curveOrder, makeGrid } from '../curve-grid.js';

function coordsOf(cell: number, counts: readonly number[]): number[] {
  const at: number[] = [];
  let rest = cell;
  for (let d = counts.length - 1; d >= 0; d--) {
    const count = counts[d] as number;
    at.unshift(rest % count);
    rest = Math.floor(rest / count);
  }
  return at;
}

describe('counts', () => {
  test('cells are near cubic and enough', () => {
    expect(chooseCounts([4096, 4096], 1024)).toEqual([32, 32]);
    expect(chooseCounts([1024, 16, 1], 1024)).toEqual([256, 4, 1]);
    expect(chooseCounts([1_048_576], 1024)).toEqual([1024]);
    expect(chooseCounts([64, 64, 64, 8], 512)).toEqual([8, 8, 8, 1]);
  });

  test('a tiny domain has no more cells than it has', () => {
    expect(chooseCounts([3], 1024)).toEqual([3]);
    expect(chooseCounts([1, 1, 1], 1024)).toEqual([1, 1, 1]);
    expect(chooseCounts([5, 3], 1024)).toEqual([5, 3]);
  });
});

test('cuts are even, ascending, and span the shape, up to the largest one', () => {
  for (const [extent, count] of [
    [10, 3],
    [211, 16],
    [7, 7],
    [Number.MAX_SAFE_INTEGER, 1024],
  ] as const) {
    const edges = makeGrid([extent], [count]).cuts[0] as Float64Array;
    expect(edges[0]).toBe(0);
    expect(edges[count]).toBe(extent);
    const sizes = Array.from(edges.subarray(1), (edge, i) => edge - (edges[i] as number));
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  }
});

describe('order', () => {
  test.each([
    [[1]],
    [[7]],
    [[1, 1, 9]],
    [[8, 8]],
    [[4, 32]],
    [[64, 4, 1]],
    [[5, 3]],
    [[100, 3, 7]],
    [[512, 2, 2, 2, 2, 2]],
  ])('of %j has every cell once', (counts) => {
    const grid = makeGrid(counts, counts);
    const cells = Array.from(curveOrder(grid)).sort((a, b) => a - b);
    expect(cells).toEqual(Array.from({ length: grid.size }, (_, i) => i));
  });

  test.each([[[8, 8]], [[4, 32]], [[64, 4, 1]], [[4, 1, 12]], [[2, 2, 2, 2]], [[16, 4, 4]], [[3, 2, 2, 2, 2, 2]]])(
    'of %j goes from neighbour to neighbour',
    (counts) => {
      const order = curveOrder(makeGrid(counts, counts));
      for (let i = 1; i < order.length; i++) {
        const from = coordsOf(order[i - 1] as number, counts);
        const to = coordsOf(order[i] as number, counts);
        expect(from.reduce((sum, c, d) => sum + Math.abs(c - (to[d] as number)), 0)).toBe(1);
      }
    },
  );
});
