import { expect, test } from '@jest/globals';
import { type Box, formatBox, parseBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { joinParts } from '../pieces.js';
import { eachCell, mapOf, randomBox } from './painted.js';

test('parts that make up a box become that box, in the order of first parts', () => {
  const parts = ['0:2,0:4', '5:6,0:1', '2:4,0:4'].map((text, i) => ({
    id: i === 1 ? 'b' : 'a',
    box: parseBox(text),
    tier: 'memory',
  }));
  expect(joinParts(parts).map(({ id, box, tier }) => [id, formatBox(box), tier])).toEqual([
    ['a', '0:4,0:4', 'memory'],
    ['b', '5:6,0:1', 'memory'],
  ]);
});

test('parts of different partitions are left alone', () => {
  const parts = [
    { id: 'a', box: parseBox('0:2') },
    { id: 'b', box: parseBox('2:4') },
  ];
  expect(joinParts(parts)).toEqual(parts);
});

test('a box cut up by shards is put together again; what has a hole keeps it', () => {
  const random = seededRandom(4);
  const shape = [20, 20];
  for (let round = 0; round < 50; round++) {
    const map = mapOf(shape, 16);
    const box = randomBox(random, shape);
    const cut = random.shuffle(map.shardsOf(box).flatMap((shard) => [...map.clip(box, shard)]));
    expect(joined(cut).map(formatBox)).toEqual([formatBox(box)]);
    const holed = cut.slice(1);
    const cells = new Set<number>();
    for (const part of joined(holed)) {
      eachCell(part, shape, (cell) => {
        expect(cells.has(cell)).toBe(false);
        cells.add(cell);
      });
    }
    const wanted = new Set<number>();
    for (const part of holed) eachCell(part, shape, (cell) => wanted.add(cell));
    expect(cells).toEqual(wanted);
  }
});

function joined(boxes: readonly Box[]): Box[] {
  return joinParts(boxes.map((box) => ({ id: 'a', box }))).map((part) => part.box);
}
