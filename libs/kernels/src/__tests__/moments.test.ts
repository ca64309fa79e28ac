import { expect, test } from '@jest/globals';
import { twoSum, ZERO } from '../double-double.js';
import { type Moments, meanOf, mergeMoments, momentsAround, NO_FLOATS, sumOf, varianceOf } from '../moments.js';

function floats(cells: readonly number[], pivot: number): Moments {
  let sum = ZERO;
  let squares = ZERO;
  for (const x of cells) {
    sum = { high: sum.high + x - pivot, low: 0 };
    squares = { high: squares.high + (x - pivot) ** 2, low: 0 };
  }
  return momentsAround(pivot, { count: cells.length, sum, squares });
}

function integers(cells: readonly bigint[]): Moments {
  const sum = cells.reduce((a, x) => a + x, 0n);
  return { count: cells.length, sum, spread: cells.reduce((a, x) => a + x * x, 0n) };
}

test('moments of parts become those of the whole, empty parts included', () => {
  const merged = mergeMoments(mergeMoments(NO_FLOATS, floats([1, 2, 3], 2)), mergeMoments(floats([10], 10), NO_FLOATS));
  expect([merged.count, sumOf(merged), meanOf(merged), varianceOf(merged)]).toEqual([4, 16, 4, 12.5]);
  expect(meanOf(NO_FLOATS)).toBeNaN();
  expect(varianceOf(NO_FLOATS)).toBeNaN();
});

test('integers are exact far beyond 2^53', () => {
  const big = 2n ** 63n;
  const merged = mergeMoments(integers([big, big + 1n]), integers([big + 2n]));
  expect(meanOf(merged)).toBe(2 ** 63);
  expect(varianceOf(merged)).toBe(2 / 3);
  expect(sumOf(integers([-(2n ** 60n), 3n]))).toBe(-(2 ** 60));
  expect(meanOf(integers([-7n, 0n]))).toBe(-3.5);
});

test('a pivot leaves no trace', () => {
  const around = momentsAround(1e9, { count: 2, sum: twoSum(3, 0), squares: twoSum(5, 0) });
  expect([meanOf(around), varianceOf(around)]).toEqual([1e9 + 1.5, 0.25]);
});

test('integers and floats are never merged', () => {
  expect(() => mergeMoments(NO_FLOATS, integers([1n]))).toThrow(TypeError);
});
