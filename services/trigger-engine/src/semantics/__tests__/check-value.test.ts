import { expect, test } from '@jest/globals';
import { REDUCTIONS } from '@tidegate/protocol';
import fc from 'fast-check';
import { checkLength, checkType, decodeNumber, encodeNumber, encodeValue } from '../check-value.js';

test('numbers survive JSON, the ones that it lacks included', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 5e-324, -1.5]) {
    expect(decodeNumber(JSON.parse(JSON.stringify(encodeNumber(value))))).toBe(value);
  }
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(decodeNumber(JSON.parse(JSON.stringify(encodeNumber(value))))).toBe(value);
    }),
  );
});

test('values are encoded to the bottom', () => {
  expect(encodeValue({ a: [Number.NaN, { b: -0 }], c: 'NaN', d: null, e: true })).toEqual({
    a: ['NaN', { b: '-0' }],
    c: 'NaN',
    d: null,
    e: true,
  });
});

test('every reduction has a type: numbers, counts, coordinates and bins', () => {
  const types = Object.fromEntries(REDUCTIONS.map((reduce) => [reduce, checkType({ reduce })]));
  const lists = ['argmin', 'argmax', 'histogram'];
  const counts = ['count', 'nan_count', 'inf_count'];
  for (const reduce of REDUCTIONS) {
    expect(types[reduce]).toBe(lists.includes(reduce) ? 'list<int>' : counts.includes(reduce) ? 'int' : 'double');
  }
  expect(checkType({ components: { above: 1 } })).toBe('int');
  expect(checkType({ call: { subject: 'a', timeoutMs: 1 } })).toBe('dyn');
  expect(checkType({ wasm: { digest: 'sha256:', export: 'f' } })).toBe('dyn');
});

test('lists are as long as the rank, or have so many bins', () => {
  expect(checkLength({ reduce: 'argmax' }, 3)).toBe(3);
  expect(checkLength({ reduce: 'histogram', bins: 12, range: [0, 1] }, 3)).toBe(12);
  expect(checkLength({ reduce: 'max' }, 3)).toBe(1);
});
