import { expect, test } from '@jest/globals';
import { cellRange } from '../cell-range.js';

test('doubles: the next number beyond each bound', () => {
  expect(cellRange('float64', {})).toEqual({ low: -Infinity, high: Infinity });
  expect(cellRange('float64', { above: 1 })).toEqual({ low: 1 + Number.EPSILON, high: Infinity });
  expect(cellRange('float64', { below: 1 })).toEqual({ low: -Infinity, high: 1 - Number.EPSILON / 2 });
  expect(cellRange('float64', { above: 0 })?.low).toBe(Number.MIN_VALUE);
  expect(cellRange('float64', { above: Number.MAX_VALUE })?.low).toBe(Infinity);
});

test('float32: bounds between two of its numbers, and beyond its range', () => {
  const tenth = Math.fround(0.1);
  expect(tenth).toBeGreaterThan(0.1);
  expect(cellRange('float32', { above: 0.1 })?.low).toBe(tenth);
  expect(cellRange('float32', { above: tenth })?.low).toBe(Math.fround(tenth + 2 ** -27));
  expect(cellRange('float32', { below: 0.1 })?.high).toBeLessThan(0.1);
  expect(cellRange('float32', { above: 1e300 })).toEqual({ low: Infinity, high: Infinity });
  expect(cellRange('float32', { above: -1e300 })?.low).toBe(-(2 - 2 ** -23) * 2 ** 127);
  expect(cellRange('float32', { above: 0 })?.low).toBe(2 ** -149);
});

test.each([
  ['uint8', { above: 3.5, below: 9.5 }, { low: 4, high: 9 }],
  ['uint8', { above: 3, below: 9 }, { low: 4, high: 8 }],
  ['uint8', { above: -7 }, { low: 0, high: 255 }],
  ['int8', { below: 1e30 }, { low: -128, high: 127 }],
  ['bool', { above: 0 }, { low: 1, high: 1 }],
  ['uint16', { above: 3, below: 4 }, undefined],
  ['int32', { above: 3e9 }, undefined],
  ['int64', { above: 2 ** 62 }, { low: 2n ** 62n + 1n, high: 2n ** 63n - 1n }],
  ['uint64', { below: 2 ** 64 }, { low: 0n, high: 2n ** 64n - 1n }],
] as const)('%s %j', (dtype, bounds, expected) => {
  expect(cellRange(dtype, bounds)).toEqual(expected);
});
