import { describe, expect, test } from '@jest/globals';
import { below, seededRandom } from '../bench/seeded-random.js';
import { hilbertCoords, hilbertIndex } from '../hilbert.js';

// Every [dimensions, bits] with at most 2^16 cells.
const SMALL: [number, number][] = [];
for (let n = 1; n <= 6; n++) {
  for (let bits = 0; n * bits <= 16; bits++) SMALL.push([n, bits]);
}

describe.each(SMALL)('%i dimensions of %i bits', (n, bits) => {
  test('every position is one cell, next to the one before, and comes back', () => {
    const seen = new Set<string>();
    let before: number[] | undefined;
    for (let index = 0; index < 2 ** (n * bits); index++) {
      const coords = hilbertCoords(index, bits, n);
      seen.add(coords.join());
      if (hilbertIndex(coords, bits) !== index) throw new Error(`position ${index} comes back as another`);
      if (before !== undefined) {
        const steps = coords.reduce((sum, c, d) => sum + Math.abs(c - (before?.[d] ?? 0)), 0);
        if (steps !== 1) throw new Error(`position ${index} is ${steps} steps from the one before`);
      }
      before = coords;
    }
    expect(seen.size).toBe(2 ** (n * bits));
    expect(hilbertCoords(0, bits, n)).toEqual(new Array(n).fill(0));
    expect(before).toEqual([2 ** bits - 1, ...new Array(n - 1).fill(0)]);
  });
});

test('dropping k bits of the coordinates drops k * dimensions bits of the index', () => {
  const random = seededRandom(4);
  for (let n = 1; n <= 6; n++) {
    const bits = n === 1 ? 30 : Math.floor(53 / n);
    for (let round = 0; round < 300; round++) {
      const coords = Array.from({ length: n }, () => below(random, 2 ** bits));
      const k = below(random, bits + 1);
      const coarse = coords.map((c) => Math.floor(c / 2 ** k));
      expect(hilbertIndex(coarse, bits - k)).toBe(Math.floor(hilbertIndex(coords, bits) / 2 ** (k * n)));
      expect(hilbertCoords(hilbertIndex(coords, bits), bits, n)).toEqual(coords);
    }
  }
});

test('the order-1 curve of the square is the known one', () => {
  expect([0, 1, 2, 3].map((i) => hilbertCoords(i, 1, 2))).toEqual([
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 0],
  ]);
});

test('rejects what it cannot represent', () => {
  expect(() => hilbertIndex([0, 0], 27)).toThrow(RangeError);
  expect(() => hilbertIndex([], 3)).toThrow(RangeError);
  expect(() => hilbertIndex([8, 0], 3)).toThrow(RangeError);
  expect(() => hilbertIndex([-1, 0], 3)).toThrow(RangeError);
  expect(() => hilbertIndex([0.5, 0], 3)).toThrow(RangeError);
  expect(() => hilbertCoords(64, 3, 2)).toThrow(RangeError);
  expect(() => hilbertCoords(0, 3, 7)).toThrow(RangeError);
});
