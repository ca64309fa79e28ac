import { expect, test } from '@jest/globals';
import { ZERO } from '../double-double.js';
import { addUp, compareCoordinates, mergeDifferences, mergeStats } from '../merged-result.js';
import type { Extrema, PieceResult } from '../piece-result.js';

const EMPTY: PieceResult = {
  stats: undefined,
  ranges: [],
  histograms: [],
  quantiles: [],
  digits: [],
  components: [],
  difference: undefined,
  wasm: [],
};

const rows = (lower: number, extrema: Extrema | undefined) => ({
  box: { lower: [lower, 10], upper: [lower + 1, 20] },
  result: { ...EMPTY, stats: { nan: 1, infinite: 2, extrema, moments: undefined } },
});

test('of equal extrema the one at the lowest coordinates counts, in whatever order the pieces come', () => {
  const first = rows(0, { min: 1n, max: 5n, minAt: 4, maxAt: 0 });
  const second = rows(1, { min: 1n, max: 7n, minAt: 0, maxAt: 9 });
  for (const pieces of [
    [first, second],
    [second, first],
  ]) {
    expect(mergeStats(pieces)).toMatchObject({ min: 1n, max: 7n, minAt: [0, 14], maxAt: [1, 19], nan: 2, infinite: 4 });
  }
});

test('a piece of NaN alone takes no part in the extrema', () => {
  const some = rows(1, { min: -3, max: -3, minAt: 2, maxAt: 2 });
  expect(mergeStats([rows(0, undefined), some, rows(2, undefined)])).toMatchObject({ min: -3, maxAt: [1, 12], nan: 3 });
  expect(mergeStats([rows(0, undefined)])).toMatchObject({ min: undefined, max: undefined });
  expect(mergeStats([{ ...some, result: EMPTY }])).toBeUndefined();
});

test('differences add up, and the first failure stands', () => {
  const box = { lower: [0], upper: [4] };
  const part = (largest: number | bigint) => ({
    box,
    result: { ...EMPTY, difference: { compared: 3, largest, squares: { high: 2, low: 0 } } },
  });
  expect(mergeDifferences([part(3), part(1)])).toEqual({ compared: 6, largest: 3, squares: { high: 4, low: 0 } });
  expect(mergeDifferences([part(2n ** 60n), part(2n ** 60n + 1n)])).toMatchObject({ largest: 2n ** 60n + 1n });
  const failed = { box, result: { ...EMPTY, difference: { failure: 'gone' } } };
  expect(mergeDifferences([part(1), failed])).toEqual({ failure: 'gone' });
  expect(mergeDifferences([{ box, result: EMPTY }])).toBeUndefined();
  expect(mergeDifferences([])).toEqual({ compared: 0, largest: 0, squares: ZERO });
});

test('lists add up, coordinates compare in row-major order', () => {
  expect(
    addUp([
      [1, 2],
      [10, 20],
      [100, 200],
    ]),
  ).toEqual([111, 222]);
  expect(addUp([])).toEqual([]);
  const order = [
    [1, 0],
    [0, 9],
    [0, 2],
  ].sort(compareCoordinates);
  expect(order).toEqual([
    [0, 2],
    [0, 9],
    [1, 0],
  ]);
  expect(compareCoordinates([3, 4], [3, 4])).toBe(0);
});
