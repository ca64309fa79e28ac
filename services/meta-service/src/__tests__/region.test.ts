import { expect, test } from '@jest/globals';
import { boxOfShape, formatBox, makeBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { cellsIn, regionOf } from '../region.js';
import { eachCell, mapOf, randomBox, SHAPES } from './painted.js';

test('a box whose shards are all meant stays one box, under one key', () => {
  const map = mapOf([40, 40], 8);
  const box = makeBox([3, 3], [30, 30]);
  const region = regionOf(map, box, map.shardsOf(box));
  expect(region.boxes).toEqual([box]);
  expect(region.cells).toBe(27 * 27);
  expect(regionOf(map, box, map.touched).key).toBe(region.key);
});

test('shards that the box does not touch leave nothing, and do not change the key', () => {
  const map = mapOf([40, 40], 8);
  const box = makeBox([0, 0], [2, 2]);
  const [home = 0] = map.shardsOf(box);
  const others = map.touched.filter((shard) => !map.shardsOf(box).includes(shard));
  expect(regionOf(map, box, others)).toMatchObject({ boxes: [], cells: 0 });
  const wide = makeBox([0, 0], [40, 40]);
  expect(regionOf(map, wide, [home]).key).not.toBe(regionOf(map, wide, others).key);
});

test.each(SHAPES.map((shape) => ({ shape })))('counts cells as a walk over them does, shape $shape', ({ shape }) => {
  const random = seededRandom(3);
  for (let round = 0; round < 60; round++) {
    const map = mapOf(shape, random.pick([1, 4, 16]));
    const shards = map.touched.filter(() => random.int(0, 2) === 0);
    const region = regionOf(map, random.pick([boxOfShape(shape), randomBox(random, shape)]), shards);
    const inside = new Set<number>();
    for (const box of region.boxes) eachCell(box, shape, (cell) => inside.add(cell));
    expect(inside.size).toBe(region.cells);
    const probe = randomBox(random, shape);
    let count = 0;
    eachCell(probe, shape, (cell) => {
      count += inside.has(cell) ? 1 : 0;
    });
    expect(cellsIn(region, probe)).toBe(count);
  }
});

test('a region of many boxes counts the same by its index', () => {
  const shape = [64, 64];
  const map = mapOf(shape, 2);
  // Blocks dealt like a chessboard cannot be merged.
  const chess = { ...map, touched: [0, 1], shardsOf: () => [0, 1], clip: () => blocks } as unknown as typeof map;
  const blocks = Array.from({ length: 1024 }, (_, i) => i)
    .map((i) => ({ row: i >> 5, column: i & 31 }))
    .filter(({ row, column }) => (row + column) % 2 === 0)
    .map(({ row, column }) => makeBox([row * 2, column * 2], [row * 2 + 2, column * 2 + 2]));
  const region = regionOf(chess, boxOfShape(shape), [0]);
  expect(region.boxes.length).toBe(512);
  expect(region.parts).toBeDefined();
  expect(region.cells).toBe(2048);
  expect(cellsIn(region, makeBox([0, 0], [4, 4]))).toBe(8);
  expect(cellsIn(region, makeBox([1, 1], [3, 3]))).toBe(2);
  expect(formatBox(region.bound)).toBe('0:64,0:64');
});
