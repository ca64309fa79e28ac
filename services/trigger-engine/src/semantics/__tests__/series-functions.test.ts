import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { delta, movavg, rate, valuesNeeded } from '../series-functions.js';

/** Small integers: their sums are exact in any order. */
const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 30 });
const count = fc.integer({ min: 1, max: 35 });

describe('movavg', () => {
  test('is the mean of a slice', () => {
    fc.assert(
      fc.property(values, count, fc.nat(35), (list, most, skip) => {
        const slice = list.slice(skip, skip + most);
        if (slice.length === 0) expect(() => movavg(list, most, skip)).toThrow(RangeError);
        else expect(movavg(list, most, skip)).toBe(slice.reduce((sum, value) => sum + value, 0) / slice.length);
      }),
    );
    expect(movavg([1, 2, 6])).toBe(3);
    expect(movavg([1, Number.NaN], 2)).toBe(Number.NaN);
    expect(() => movavg([])).toThrow(RangeError);
  });
});

describe('delta and rate', () => {
  test('are differences of values, and those over differences of steps', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(values, steps, count, (list, gaps, back) => {
        const at = list.map((_, index) => 1000 - gaps.slice(0, index).reduce((sum, gap) => sum + gap, 0));
        const series = { values: list, steps: at };
        const [first = 0] = list;
        const then = list[back];
        if (then === undefined) {
          expect(() => delta(list, back)).toThrow(RangeError);
          expect(() => rate(series, back)).toThrow(RangeError);
          return;
        }
        expect(delta(list, back)).toBe(first - then);
        const elapsed = gaps.slice(0, back).reduce((sum, gap) => sum + gap, 0);
        expect(rate(series, back)).toBe((first - then) / elapsed);
      }),
    );
  });

  test('look one value back where nothing else is said', () => {
    expect(delta([5, 3, 9])).toBe(2);
    expect(rate({ values: [5, 3, 9], steps: [8, 4, 0] })).toBe(0.5);
  });
});

test('valuesNeeded knows how far a call reaches, and which counts are none', () => {
  expect(valuesNeeded('movavg', [])).toBe(1);
  expect(valuesNeeded('movavg', [5])).toBe(5);
  expect(valuesNeeded('movavg', [5, 2])).toBe(7);
  expect(valuesNeeded('delta', [])).toBe(2);
  expect(valuesNeeded('rate', [3])).toBe(4);
  for (const counts of [[0], [-1], [1, -1], [0.5]]) expect(valuesNeeded('movavg', counts)).toBeUndefined();
});
