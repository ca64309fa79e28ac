import { expect, test } from '@jest/globals';
import { formatNumber } from '../number.js';

test.each([
  [0, '0'],
  [-12, '-12'],
  [1 / 3, '0.333333'],
  [0.5, '0.5'],
  [1234567.891, '1234570'],
  [1.5e-9, '1.5e-9'],
  [2n ** 63n, '9223372036854775808'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
])('formatNumber(%s) is %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
