import { expect, test } from '@jest/globals';
import { below, seededRandom } from '../bench/seeded-random.js';
import { formatBox, parseBox, volume } from '../box.js';
import { splitBox } from '../split-box.js';
import { eachCell, randomBox } from './random-boxes.js';

test('packed parts, one after the other, are the packed box', () => {
  const random = seededRandom(5);
  for (const shape of [[40], [9, 11], [5, 6, 7], [3, 4, 3, 5], [2, 3, 2, 3, 2, 3]]) {
    for (let round = 0; round < 200; round++) {
      const box = randomBox(random, shape);
      const maxCells = 1 + below(random, 40);
      const whole: number[] = [];
      eachCell(box, shape, (cell) => whole.push(cell));
      const joined: number[] = [];
      for (const part of splitBox(box, maxCells)) {
        expect(volume(part)).toBeLessThanOrEqual(maxCells);
        eachCell(part, shape, (cell) => joined.push(cell));
      }
      expect(joined).toEqual(whole);
    }
  }
});

test('cuts the slowest dimension first and fills each part', () => {
  expect(splitBox(parseBox('0:10,0:4'), 12).map(formatBox)).toEqual(['0:3,0:4', '3:6,0:4', '6:9,0:4', '9:10,0:4']);
  expect(splitBox(parseBox('0:2,5:10'), 3).map(formatBox)).toEqual(['0:1,5:8', '0:1,8:10', '1:2,5:8', '1:2,8:10']);
});

test('a box that fits is left whole', () => {
  const box = parseBox('3:5,2:4');
  expect(splitBox(box, 4)).toEqual([box]);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('rejects at most %p cells', (maxCells) => {
  expect(() => splitBox(parseBox('0:4'), maxCells)).toThrow(RangeError);
});
