import { describe, expect, test } from '@jest/globals';
import { below, seededRandom, shuffle } from '../bench/seeded-random.js';
import { type Box, boxOfShape, intersects, parseBox, volume } from '../box.js';
import { BoxIndex } from '../box-index.js';
import { InvalidBoxError } from '../geometry-error.js';
import { randomBox, randomTiling } from './random-boxes.js';

interface Item {
  readonly id: string;
  readonly box: Box;
}

/** The item numbers in ascending order: the index promises none. */
function ids(items: Iterable<Item>): string[] {
  return [...items].map((item) => item.id).sort();
}

function smallBox(random: () => number, shape: readonly number[]): Box {
  const lower = shape.map((size) => below(random, size));
  return { lower, upper: lower.map((lo, d) => Math.min(shape[d] as number, lo + 1 + below(random, 6))) };
}

describe.each([[[400]], [[60, 50]], [[20, 300, 25]], [[9, 14, 60, 11]]])('shape %j', (shape) => {
  test('finds what a scan finds, through inserts, replacements and removals', () => {
    const random = seededRandom(shape.length);
    const index = new BoxIndex<Item>();
    const all = new Map<string, Item>();
    for (let step = 0; step < 3000; step++) {
      // Grows past several rebuilds, then shrinks to nothing.
      const id = String(below(random, 900));
      if (random() < (step < 2000 ? 0.75 : 0.1)) {
        const item = { id, box: random() < 0.1 ? randomBox(random, shape) : smallBox(random, shape) };
        index.insert(item);
        all.set(id, item);
      } else {
        expect(index.remove(id)).toBe(all.get(id));
        all.delete(id);
      }
      if (step % 5 !== 0) continue;
      expect(index.size).toBe(all.size);
      expect(index.get(id)).toBe(all.get(id));
      const query = step % 2 === 0 ? smallBox(random, shape) : randomBox(random, shape);
      expect(ids(index.search(query))).toEqual(ids([...all.values()].filter((item) => intersects(item.box, query))));
    }
    expect(ids(index.values())).toEqual(ids(all.values()));
    expect(index.volume).toBe([...all.values()].reduce((sum, item) => sum + volume(item.box), 0));
    for (const id of all.keys()) index.remove(id);
    expect([index.size, index.volume, index.search(boxOfShape(shape))]).toEqual([0, 0, []]);
  });

  test('knows disjoint sets, of any size, and the first overlap', () => {
    const random = seededRandom(shape.length + 10);
    const boxes = randomTiling(random, boxOfShape(shape), 350);
    const index = new BoxIndex<Item>();
    boxes.forEach((box, i) => {
      index.insert({ id: String(i), box });
      expect(index.disjoint).toBe(true);
    });
    expect(index.volume).toBe(volume(boxOfShape(shape)));
    const { lower } = boxes[7] as Box;
    index.insert({ id: 'cell', box: { lower, upper: lower.map((lo) => lo + 1) } });
    expect(index.disjoint).toBe(false);
    for (const id of ids(index.values()).slice(1)) index.remove(id);
    expect(index.size).toBe(1);
    expect(index.disjoint).toBe(true);
  });
});

test('growth along the worst axis first stays exact', () => {
  // The first items differ along one axis, later ones along others: axes and slabs have to be chosen anew.
  const index = new BoxIndex<Item>();
  const boxes: Box[] = [];
  for (let i = 0; i < 40; i++) boxes.push({ lower: [0, 0, i], upper: [1, 1, i + 1] });
  for (let i = 1; i < 3000; i++) boxes.push({ lower: [i * 1000, i % 7, 0], upper: [i * 1000 + 1, (i % 7) + 1, 40] });
  boxes.forEach((box, i) => {
    index.insert({ id: String(i), box });
  });
  const random = seededRandom(77);
  for (let round = 0; round < 200; round++) {
    const lower = [below(random, 3_000_000), below(random, 7), below(random, 40)];
    const query = { lower, upper: lower.map((lo, d) => lo + (d === 0 ? 20_000 : 3)) };
    expect(ids(index.search(query))).toEqual(
      boxes.flatMap((box, i) => (intersects(box, query) ? [String(i)] : [])).sort(),
    );
  }
});

test('the same id again replaces the item', () => {
  const index = new BoxIndex<Item & { tier: string }>();
  index.insert({ id: 'a', box: parseBox('0:4'), tier: 'memory' });
  index.insert({ id: 'b', box: parseBox('4:8'), tier: 'memory' });
  index.insert({ id: 'a', box: parseBox('0:4'), tier: 'disk' });
  expect([index.size, index.volume, index.disjoint, index.get('a')?.tier]).toEqual([2, 8, true, 'disk']);
  index.insert({ id: 'a', box: parseBox('1:3'), tier: 'disk' });
  expect([index.size, index.volume, index.disjoint]).toEqual([2, 6, true]);
  expect(index.search(parseBox('0:1'))).toEqual([]);
  expect(ids(index.search(parseBox('0:5')))).toEqual(['a', 'b']);
});

test('items of another rank are refused, and take over once the index is empty', () => {
  const index = new BoxIndex<Item>();
  index.insert({ id: 'a', box: parseBox('0:4') });
  expect(() => index.insert({ id: 'b', box: parseBox('0:4,0:4') })).toThrow(InvalidBoxError);
  expect(index.size).toBe(1);
  expect(index.search(parseBox('0:4,0:4'))).toEqual([]);
  index.remove('a');
  index.insert({ id: 'b', box: parseBox('0:4,0:4') });
  expect(ids(index.search(parseBox('3:9,3:9')))).toEqual(['b']);
  expect(index.remove('nobody')).toBeUndefined();
});

test('a query looks at few of the items of a large index', () => {
  // Grows item by item to 27,000 cells, in random order; a scan of them all would take about a hundred times as long.
  const random = seededRandom(5);
  const cells = Array.from({ length: 27_000 }, (_, i) => {
    const lower = [Math.floor(i / 900), Math.floor(i / 30) % 30, i % 30];
    return { id: String(i), box: { lower, upper: lower.map((lo) => lo + 1) } };
  });
  const index = new BoxIndex<Item>();
  for (const cell of shuffle(cells, random)) index.insert(cell);
  expect(index.disjoint).toBe(true);
  const times: number[] = [];
  for (let round = 0; round < 300; round++) {
    const lower = [below(random, 27), below(random, 27), below(random, 27)];
    const started = performance.now();
    const found = index.search({ lower, upper: lower.map((lo) => lo + 3) });
    times.push(performance.now() - started);
    expect(found.length).toBe(27);
  }
  expect(times.sort((a, b) => a - b)[150]).toBeLessThan(0.5);
});
