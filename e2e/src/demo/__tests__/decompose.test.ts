import { describe, expect, test } from '@jest/globals';
import { boxOfShape, intersects, volume, within } from '@tidegate/geometry';
import fc from 'fast-check';
import { decompose } from '../decompose.js';

describe('decompose', () => {
  test('gives exactly as many disjoint blocks as asked for, which fill the domain', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, n) => {
        const cells = volume(boxOfShape(shape));
        const parts = 1 + (n % Math.min(cells, 40));
        const blocks = decompose(shape, parts);
        expect(blocks).toHaveLength(parts);
        expect(blocks.every((block) => within(block, shape) && volume(block) >= 1)).toBe(true);
        expect(blocks.reduce((sum, block) => sum + volume(block), 0)).toBe(cells);
        blocks.forEach((a, i) => {
          for (const b of blocks.slice(i + 1)) expect(intersects(a, b)).toBe(false);
        });
      }),
    );
  });

  test('a block for every cell', () => {
    expect(decompose([3, 3], 9).map(volume)).toEqual(new Array(9).fill(1));
  });

  test.each([
    [[256, 256], 7],
    [[256, 256], 12],
    [[48, 48, 48], 5],
    [[48, 48, 48], 11],
    [[1000, 30], 13],
  ])('blocks of %p in %i parts differ little in volume', (shape, parts) => {
    const volumes = decompose(shape, parts).map(volume);
    expect(Math.max(...volumes) / Math.min(...volumes)).toBeLessThan(1.1);
  });

  test('powers of two give cubes', () => {
    expect(decompose([64, 64, 64], 8).map((box) => box.upper.map((hi, d) => hi - (box.lower[d] ?? 0)))).toEqual(
      new Array(8).fill([32, 32, 32]),
    );
  });

  test('skewed blocks tile the domain too, are unequal, and their faces do not line up', () => {
    const blocks = decompose([100, 100], 4, 0.04);
    expect(blocks.reduce((sum, block) => sum + volume(block), 0)).toBe(10_000);
    blocks.forEach((a, i) => {
      for (const b of blocks.slice(i + 1)) expect(intersects(a, b)).toBe(false);
    });
    expect(blocks.map(({ lower }) => lower)).toEqual([
      [0, 0],
      [0, 46],
      [54, 0],
      [54, 54],
    ]);
  });

  test.each([0, -1, 1.5, 5, Number.NaN])('refuses %p parts of four cells', (parts) => {
    expect(() => decompose([2, 2], parts)).toThrow(RangeError);
  });
});
