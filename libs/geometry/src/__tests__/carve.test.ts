import { expect, test } from '@jest/globals';
import { seededRandom, shuffle } from '../bench/seeded-random.js';
import { parseBox, volume } from '../box.js';
import { carve } from '../carve.js';
import { randomTiling } from './random-boxes.js';

test('reports the visible parts by the position of the box', () => {
  const { visible, missing } = carve(parseBox('0:10'), [parseBox('8:12'), parseBox('0:3'), parseBox('1:2')]);
  expect(visible).toEqual([[parseBox('8:10')], [parseBox('0:3')], undefined]);
  expect(missing).toEqual([parseBox('3:8')]);
});

test('the parts of boxes that were divided tile them', () => {
  const random = seededRandom(17);
  const boxes = randomTiling(random, parseBox('0:50,0:50,0:50'), 500);
  const { visible, missing } = carve(parseBox('0:50,0:50,0:50'), boxes);
  expect(missing).toEqual([]);
  boxes.forEach((box, i) => {
    expect((visible[i] ?? []).reduce((sum, part) => sum + volume(part), 0)).toBe(volume(box));
  });
});

test('ends at the first missing cell if told so', () => {
  const random = seededRandom(18);
  const boxes = shuffle(randomTiling(random, parseBox('0:100,0:100'), 400), random).slice(0, 200);
  expect(carve(parseBox('0:100,0:100'), boxes, true).missing.length).toBeGreaterThan(0);
  const found = carve(parseBox('0:100,0:100'), boxes, true).visible.filter((parts) => parts !== undefined).length;
  expect(found).toBeLessThan(50);
});
