import { expect, test } from '@jest/globals';
import { below, seededRandom } from '../bench/seeded-random.js';
import { type Box, boxOfShape, formatBox, parseBox, volume } from '../box.js';
import { coalesce, subtractAll } from '../coalesce.js';
import { tile } from '../tile.js';
import { eachCell, randomBox, randomTiling } from './random-boxes.js';

const SHAPES = [[30], [10, 9], [6, 5, 6], [4, 3, 4, 3]];

function cellsOf(boxes: readonly Box[], shape: readonly number[]): number[] {
  const cells: number[] = [];
  for (const box of boxes) eachCell(box, shape, (cell) => cells.push(cell));
  return cells.sort((a, b) => a - b);
}

function mergeable(a: Box, b: Box): boolean {
  const apart = a.lower.map((_, d) => d).filter((d) => a.lower[d] !== b.lower[d] || a.upper[d] !== b.upper[d]);
  const d = apart[0];
  return apart.length === 1 && d !== undefined && (a.upper[d] === b.lower[d] || b.upper[d] === a.lower[d]);
}

test('keeps the cells and leaves nothing to merge', () => {
  const random = seededRandom(31);
  for (let round = 0; round < 1500; round++) {
    const shape = SHAPES[round % SHAPES.length] as number[];
    const tiling = randomTiling(random, randomBox(random, shape), 1 + below(random, 25));
    const boxes = tiling.slice(0, 1 + below(random, tiling.length));
    const before = boxes.slice();
    const merged = coalesce(boxes);
    expect(boxes).toEqual(before);
    expect(cellsOf(merged, shape)).toEqual(cellsOf(boxes, shape));
    expect(merged.some((a, i) => merged.slice(i + 1).some((b) => mergeable(a, b)))).toBe(false);
  }
});

test('a grid of cells becomes one box', () => {
  const cells: Box[] = [];
  for (let i = 0; i < 1000; i++) {
    const lower = [Math.floor(i / 100), Math.floor(i / 10) % 10, i % 10];
    cells.push({ lower, upper: lower.map((x) => x + 1) });
  }
  expect(coalesce(cells).map(formatBox)).toEqual(['0:10,0:10,0:10']);
  expect(coalesce([])).toEqual([]);
});

test('boxes that touch only along a part of a face stay apart', () => {
  expect(coalesce([parseBox('0:2,0:2'), parseBox('2:4,1:3')]).length).toBe(2);
});

test('taking partitions off one by one leaves what tile() finds missing', () => {
  const random = seededRandom(32);
  for (let round = 0; round < 1500; round++) {
    const shape = SHAPES[round % SHAPES.length] as number[];
    const partitions = Array.from({ length: below(random, 8) }, () => ({ box: randomBox(random, shape) }));
    let rest: readonly Box[] = [boxOfShape(shape)];
    for (const { box } of partitions) rest = subtractAll(rest, box);
    const { missing } = tile(boxOfShape(shape), partitions);
    expect(cellsOf(rest, shape)).toEqual(cellsOf(missing, shape));
    expect(rest.reduce((sum, box) => sum + volume(box), 0)).toBe(cellsOf(rest, shape).length);
  }
});

test('boxes that are not touched are passed on as they are', () => {
  const far = parseBox('5:9');
  expect(subtractAll([parseBox('0:4'), far], parseBox('1:2'))[2]).toBe(far);
});
