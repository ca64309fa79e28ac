import { expect, test } from '@jest/globals';
import { seededRandom } from '../bench/seeded-random.js';
import { type Box, formatBox, intersects, parseBox } from '../box.js';
import { type Axes, type Entry, TreeRow } from '../tree-row.js';
import { randomBox } from './random-boxes.js';

function entryOf(box: Box): Entry {
  return { box, minX: 0, minY: 0, maxX: 0, maxY: 0 };
}

function texts(entries: readonly Entry[]): string[] {
  return entries.map((entry) => formatBox(entry.box)).sort();
}

const CASES: [number[], Axes][] = [
  [[90], { x: 0, y: 0, along: undefined, slab: 1 }],
  [[30, 20], { x: 1, y: 0, along: undefined, slab: 1 }],
  [[20, 20, 50], { x: 0, y: 1, along: 2, slab: 8 }],
  [[12, 10, 8, 11], { x: 3, y: 1, along: 0, slab: 1 }],
];

test.each(CASES)('shape %j finds what a scan finds, bulk loaded, grown and shrunk', (shape, axes) => {
  const random = seededRandom(shape.length);
  const entries = Array.from({ length: 300 }, () => entryOf(randomBox(random, shape)));
  const row = new TreeRow(axes, entries.slice(0, 150));
  const check = (present: readonly Entry[]) => {
    for (let round = 0; round < 50; round++) {
      const query = randomBox(random, shape);
      expect(texts(row.search(query))).toEqual(texts(present.filter((entry) => intersects(entry.box, query))));
    }
  };
  check(entries.slice(0, 150));
  for (const entry of entries.slice(150)) row.insert(entry);
  check(entries);
  for (const entry of entries.slice(0, 200)) row.remove(entry);
  check(entries.slice(200));
  for (const entry of entries) row.remove(entry);
  expect(row.slabs).toBe(0);
});

test('an entry that reaches over several slabs is found from each of them', () => {
  const long = entryOf(parseBox('0:1,0:1,0:100'));
  const row = new TreeRow({ x: 0, y: 1, along: 2, slab: 10 }, [long, entryOf(parseBox('0:1,0:1,95:96'))]);
  expect(row.slabs).toBe(2);
  expect(row.search(parseBox('0:1,0:1,55:56'))).toEqual([long]);
  expect(row.search(parseBox('0:1,0:1,95:96')).length).toBe(2);
});
