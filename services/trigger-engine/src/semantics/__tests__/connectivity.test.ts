import { expect, test } from '@jest/globals';
import { neighbourCount, neighbourhoods } from '../connectivity.js';

/** Neighbours of a cell by brute force: offsets of at most `reach` changed coordinates. */
function count(rank: number, reach: number): number {
  let found = 0;
  for (let code = 1; code < 3 ** rank; code++) {
    const digits = Array.from({ length: rank }, (_, axis) => Math.floor(code / 3 ** axis) % 3);
    const changed = digits.filter((digit) => digit !== 0).length;
    if (changed <= reach) found++;
  }
  return found;
}

test('neighbourhoods are those that share a face, an edge, a corner', () => {
  for (const rank of [1, 2, 3]) {
    expect(neighbourhoods(rank)).toEqual(Array.from({ length: rank }, (_, index) => count(rank, index + 1)));
  }
  expect(neighbourhoods(4)).toEqual([]);
});

test('a number of a higher rank means the same neighbourhood of a thin domain', () => {
  expect([6, 18, 26].map((connectivity) => neighbourCount(connectivity, 3))).toEqual([6, 18, 26]);
  expect([4, 8, 6, 18, 26].map((connectivity) => neighbourCount(connectivity, 2))).toEqual([4, 8, 4, 8, 8]);
  expect([2, 4, 8, 6, 26].map((connectivity) => neighbourCount(connectivity, 1))).toEqual([2, 2, 2, 2, 2]);
});

test('without one neighbours share a face; what fits no rank is none', () => {
  expect([1, 2, 3, 4].map((rank) => neighbourCount(undefined, rank))).toEqual([2, 4, 6, undefined]);
  expect([4, 8, 2, 7].map((connectivity) => neighbourCount(connectivity, 3))).toEqual(Array(4).fill(undefined));
});
