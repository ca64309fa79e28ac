import { expect, test } from '@jest/globals';
import { keyCell, prefixRange } from '../order-key.js';

test.each([
  ['uint8', 0n, 0],
  ['int8', 0n, -128],
  ['int16', 0x8001n, 1],
  ['uint64', 2n ** 64n - 1n, 2n ** 64n - 1n],
  ['int64', 0n, -(2n ** 63n)],
  ['float64', 1n << 63n, 0],
  ['float64', (1n << 63n) + 1n, Number.MIN_VALUE],
  ['float64', (1n << 63n) - 2n, -Number.MIN_VALUE],
  ['float32', 0xbf80_0000n, 1],
  ['float32', 0x407f_ffffn, -1],
] as const)('the %s cell of key %s is %s', (dtype, key, cell) => {
  expect(keyCell(dtype, key)).toBe(cell);
});

test('the first range is that of all numbers', () => {
  expect(prefixRange('float64', { prefix: 0n, shift: 48 })).toEqual({ low: -Infinity, high: Infinity });
  expect(prefixRange('float32', { prefix: 0n, shift: 16 })).toEqual({ low: -Infinity, high: Infinity });
  expect(prefixRange('int8', { prefix: 0n, shift: 0 })).toEqual({ low: -128, high: 127 });
  expect(prefixRange('uint64', { prefix: 0n, shift: 48 })).toEqual({ low: 0n, high: 2n ** 64n - 1n });
});

test('ranges of a digit: ends are inclusive, zero is in one of them only, NaN in none', () => {
  expect(prefixRange('uint32', { prefix: 3n, shift: 0 })).toEqual({ low: 196_608, high: 262_143 });
  expect(prefixRange('float32', { prefix: 0x7fffn, shift: 0 })?.high).toBe(-(2 ** -149));
  expect(prefixRange('float32', { prefix: 0x8000n, shift: 0 })?.low).toBe(0);
  expect(prefixRange('float64', { prefix: 0xffffn, shift: 32 })).toBeUndefined();
  expect(prefixRange('float64', { prefix: 0n, shift: 32 })).toBeUndefined();
  expect(prefixRange('uint32', { prefix: 0x10000n, shift: 0 })).toBeUndefined();
});
