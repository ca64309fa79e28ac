import { describe, expect, test } from '@jest/globals';
import { below, seededRandom } from '../bench/seeded-random.js';
import { boxOfShape, intersects, parseBox, volume } from '../box.js';
import { coalesce } from '../coalesce.js';
import { InvalidShapeError, InvalidShardMapError } from '../geometry-error.js';
import { createShardMap, type ShardMapOptions } from '../shard-map.js';
import { eachCell, randomBox } from './random-boxes.js';

const SMALL: ShardMapOptions[] = [
  { shape: [3], shards: 16 },
  { shape: [1, 1, 1], shards: 16 },
  { shape: [97], shards: 7 },
  { shape: [2000], shards: 16 },
  { shape: [31, 17], shards: 16 },
  { shape: [40, 3], shards: 5 },
  { shape: [12, 9, 11], shards: 16 },
  { shape: [7, 5, 6, 4], shards: 64 },
  { shape: [5, 3, 4, 2, 3, 2], shards: 16 },
  { shape: [20, 20], shards: 1 },
  { shape: [9, 10, 3], shards: 16, layout: [2, 2, 1] },
  { shape: [9, 10], shards: 4, layout: [3, 5] },
  { shape: [6], shards: 2, layout: [6] },
];

describe.each(SMALL)('shape $shape, $shards shards, layout $layout', (options) => {
  const { shape, shards } = options;
  const map = createShardMap(options);
  const owner = new Int32Array(volume(boxOfShape(shape))).fill(-1);

  test('every cell belongs to exactly one shard', () => {
    for (let shard = 0; shard < shards; shard++) {
      let cells = 0;
      for (const box of map.cellsOf(shard)) {
        eachCell(box, shape, (cell) => {
          if (owner[cell] !== -1) throw new Error(`cell ${cell} belongs to ${owner[cell]} and to ${shard}`);
          owner[cell] = shard;
          cells++;
        });
      }
      expect(map.volumeOf(shard)).toBe(cells);
      expect(coalesce(map.cellsOf(shard)).length).toBe(map.cellsOf(shard).length);
    }
    expect(owner.includes(-1)).toBe(false);
    expect(map.touched).toEqual([...new Set(owner)].sort((a, b) => a - b));
  });

  test('shardsOf and clip agree with the owners of the cells', () => {
    const random = seededRandom(8);
    for (let round = 0; round < 150; round++) {
      const box = round === 0 ? boxOfShape(shape) : randomBox(random, shape);
      const inside = new Set<number>();
      eachCell(box, shape, (cell) => inside.add(owner[cell] as number));
      const touched = [...inside].sort((a, b) => a - b);
      expect(map.shardsOf(box)).toEqual(touched);
      let cells = 0;
      for (const shard of touched) {
        for (const part of map.clip(box, shard)) {
          eachCell(part, shape, (cell) => {
            if (owner[cell] !== shard) throw new Error(`cell ${cell} is clipped to ${shard}`);
          });
          cells += volume(part);
        }
      }
      expect(cells).toBe(volume(box));
      const other = below(random, shards);
      if (!inside.has(other)) expect(map.clip(box, other)).toEqual([]);
    }
  });
});

describe('balance', () => {
  const shapes = [
    [1_048_576],
    [4096, 4096],
    [1024, 16, 1],
    [100, 37, 211],
    [512, 512, 512],
    [64, 64, 64, 8],
    [4096, 16, 1],
    [Number.MAX_SAFE_INTEGER],
    [1_000_003, 2, 2, 2, 2, 2],
  ];
  test.each(shapes.flatMap((shape) => [16, 64].map((shards) => [shape.join('x'), shards, shape] as const)))(
    '%s over %i shards',
    (_, shards, shape) => {
      const map = createShardMap({ shape, shards });
      const volumes = Array.from({ length: shards }, (_, shard) => map.volumeOf(shard));
      expect(volumes.reduce((sum, v) => sum + v, 0)).toBe(volume(boxOfShape(shape)));
      expect(Math.max(...volumes) / (volume(boxOfShape(shape)) / shards)).toBeLessThanOrEqual(1.25);
      expect(map.touched.length).toBe(shards);
    },
  );

  test('a small box touches few shards', () => {
    const map = createShardMap({ shape: [4096, 4096], shards: 64 });
    expect(map.shardsOf(parseBox('0:512,0:512'))).toEqual([0]);
    expect(map.shardsOf(parseBox('100:110,100:110')).length).toBe(1);
    expect(map.shardsOf(parseBox('2040:2056,2040:2056')).length).toBe(4);
  });
});

test('parts outside the domain belong to nobody', () => {
  const map = createShardMap({ shape: [10, 10], shards: 4 });
  expect(map.shardsOf(parseBox('10:20,0:5'))).toEqual([]);
  expect(map.shardsOf(parseBox('0:5'))).toEqual([]);
  expect(map.shardsOf(parseBox('0:100,0:100'))).toEqual([0, 1, 2, 3]);
  const inside = map.touched.flatMap((shard) => map.clip(parseBox('5:100,5:100'), shard));
  expect(inside.reduce((sum, box) => sum + volume(box), 0)).toBe(25);
});

test('blocks of a layout are dealt in row-major order', () => {
  const map = createShardMap({ shape: [8, 8, 4], shards: 3, layout: [2, 2, 1] });
  expect(map.cellsOf(0)).toEqual([parseBox('0:4,0:4,0:4'), parseBox('4:8,4:8,0:4')]);
  expect(map.cellsOf(1)).toEqual([parseBox('0:4,4:8,0:4')]);
  expect(map.cellsOf(2)).toEqual([parseBox('4:8,0:4,0:4')]);
});

test('two maps of the same record are the same, and calls do not disturb each other', () => {
  const a = createShardMap({ shape: [100, 37, 211], shards: 16 });
  const b = createShardMap({ shape: [100, 37, 211], shards: 16, layout: undefined });
  const box = parseBox('10:60,3:30,100:180');
  const first = a.shardsOf(box);
  a.shardsOf(boxOfShape([100, 37, 211]));
  expect(a.shardsOf(box)).toEqual(first);
  for (let shard = 0; shard < 16; shard++) {
    expect(a.cellsOf(shard)).toEqual(b.cellsOf(shard));
    expect(a.cellsOf(shard).some((owned) => intersects(owned, box))).toBe(first.includes(shard));
  }
});

describe('rejects', () => {
  test.each([[[2]], [[2, 2, 2]], [[0, 2]], [[-1, 2]], [[1.5, 2]], [[5, 2]], [[]]])('layout %j of a 4x4', (layout) => {
    expect(() => createShardMap({ shape: [4, 4], shards: 2, layout })).toThrow(InvalidShardMapError);
  });

  test('a layout of too many blocks', () => {
    expect(() => createShardMap({ shape: [2 ** 21], shards: 2, layout: [2 ** 21] })).toThrow(InvalidShardMapError);
  });

  test.each([0, -1, 1.5, 65_537, Number.NaN])('%p shards', (shards) => {
    expect(() => createShardMap({ shape: [4], shards })).toThrow(InvalidShardMapError);
  });

  test('a shape that no variable can have, and a shard that does not exist', () => {
    expect(() => createShardMap({ shape: [2 ** 30, 2 ** 30], shards: 16 })).toThrow(InvalidShapeError);
    expect(() => createShardMap({ shape: [4], shards: 2 }).cellsOf(2)).toThrow(RangeError);
    expect(() => createShardMap({ shape: [4], shards: 2 }).volumeOf(-1)).toThrow(RangeError);
  });
});
