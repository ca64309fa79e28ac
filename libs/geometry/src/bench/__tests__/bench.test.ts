import { expect, test } from '@jest/globals';
import { volume } from '../../box.js';
import { gridItems } from '../box-index.js';
import { benchBoxIndex, LOCALITY_SHAPES, localityTable } from '../index.js';

test('the locality table: the curve never touches more shards than rows do, and far fewer on cubes', () => {
  const rows = localityTable(100);
  expect(rows.map(({ shape, shards }) => [shape, shards])).toEqual(
    LOCALITY_SHAPES.flatMap((shape) => [
      [shape, 16],
      [shape, 64],
    ]),
  );
  for (const row of rows) {
    expect(row.imbalance).toBeLessThanOrEqual(1.25);
    expect(row.hilbert).toBeGreaterThanOrEqual(1);
    expect(row.hilbert).toBeLessThanOrEqual(row.rowMajor);
    if (row.shards === 64 && row.shape.length > 1 && Math.min(...row.shape) >= 8) {
      expect(row.hilbert).toBeLessThan(row.rowMajor * 0.6);
    }
  }
});

test('the index bench reports the largest grids that fit the sizes', () => {
  const rows = benchBoxIndex([100, 1000]);
  expect(rows.map(({ dimensions, partitions }) => [dimensions, partitions])).toEqual([
    [2, 100],
    [2, 961],
    [3, 64],
    [3, 1000],
  ]);
  for (const row of rows) {
    expect(row.found).toBeGreaterThanOrEqual(1);
    expect(row.searchP99Micros).toBeGreaterThanOrEqual(row.searchP50Micros);
  }
});

test('a grid has each cell once', () => {
  const items = gridItems(2, 3);
  expect(items.map(({ box }) => box.lower.join())).toEqual([
    '0,0',
    '0,64',
    '0,128',
    '64,0',
    '64,64',
    '64,128',
    '128,0',
    '128,64',
    '128,128',
  ]);
  expect(items.every(({ box }) => volume(box) === 64 * 64)).toBe(true);
  expect(new Set(items.map(({ id }) => id)).size).toBe(9);
});
