import { expect, test } from '@jest/globals';
import { seededRandom } from '@tidegate/testing';
import { UnionFind } from '../union-find.js';

test('agrees with sets that are renamed as a whole', () => {
  const random = seededRandom(6);
  const sets = new UnionFind(100);
  const names = Array.from({ length: 100 }, (_, i) => i);
  for (let i = 0; i < 400; i++) {
    if (i % 4 === 0) names.push(sets.add());
    const [a, b] = [random.int(0, names.length), random.int(0, names.length)];
    sets.union(a, b);
    const [keep, drop] = [
      Math.min(names[a] as number, names[b] as number),
      Math.max(names[a] as number, names[b] as number),
    ];
    for (let at = 0; at < names.length; at++) if (names[at] === drop) names[at] = keep;
    expect(sets.sets).toBe(new Set(names).size);
  }
  expect(names.map((_, at) => sets.find(at))).toEqual(names);
});

test('grows beyond what it begins with', () => {
  const sets = new UnionFind();
  for (let i = 0; i < 1000; i++) expect(sets.add()).toBe(i);
  for (let i = 1; i < 1000; i++) sets.union(i - 1, i);
  expect([sets.sets, sets.find(999)]).toEqual([1, 0]);
});
