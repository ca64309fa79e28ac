import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CheckValue } from '../check-value.js';
import { extendHistory, type History, type HistoryStep, seriesOf } from '../history.js';

function at(step: number, value: CheckValue | undefined, depth: number): HistoryStep {
  return { step, depth, tracked: ['v'], values: new Map(value === undefined ? [] : [['v', value]]) };
}

test('a series is the last values that were numbers, newest first, this step included', () => {
  const steps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 5 }), value: fc.option(fc.double()) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 6 }), (inputs, depth) => {
      let history: History = {};
      let step = 0;
      const seen: { step: number; value: number }[] = [];
      for (const { gap, value } of inputs) {
        step += gap;
        const now = at(step, value ?? undefined, depth);
        if (value !== null) seen.unshift({ step, value });
        const expected = seen.slice(0, depth);
        expect(seriesOf(history, now).get('v')).toEqual(
          value === null
            ? undefined
            : { values: expected.map((entry) => entry.value), steps: expected.map((entry) => entry.step) },
        );
        history = JSON.parse(JSON.stringify(extendHistory(history, now)));
        expect(history['v']?.length ?? 0).toBe(Math.min(depth - 1, seen.length));
      }
    }),
  );
});

test('a late step sees only what came before it', () => {
  const history: History = {
    v: [
      [9, 9],
      [7, 7],
      [3, 3],
    ],
  };
  expect(seriesOf(history, at(8, 8, 4)).get('v')).toEqual({ values: [8, 7, 3], steps: [8, 7, 3] });
});

test('texts, lists and maps are no values of a series', () => {
  for (const value of ['1', [1], { a: 1 }, true, null]) {
    expect(seriesOf({ v: [[1, 1]] }, at(2, value, 3)).has('v')).toBe(false);
    expect(extendHistory({ v: [[1, 1]] }, at(2, value, 3))).toEqual({ v: [[1, 1]] });
  }
});

test('only tracked checks are kept', () => {
  const values = new Map([
    ['v', 1],
    ['w', 2],
  ]);
  expect(extendHistory({}, { step: 0, values, tracked: ['w'], depth: 3 })).toEqual({ w: [[0, 2]] });
});
