import { describe, expect, test } from '@jest/globals';
import { BadRequestError } from '@tidegate/protocol';
import { givenValue, listOf, mapOf, refuse, stepOf } from '../case-value.js';

function refusal(read: () => unknown): [string, string] {
  try {
    read();
  } catch (error) {
    if (error instanceof BadRequestError) return [error.field, error.message];
    throw error;
  }
  throw new Error('accepted');
}

describe('a value of a check', () => {
  test.each([
    [1.5, { value: 1.5 }],
    ['NaN', { value: Number.NaN }],
    [Number.NaN, { value: Number.NaN }],
    ['Infinity', { value: Number.POSITIVE_INFINITY }],
    ['-Infinity', { value: Number.NEGATIVE_INFINITY }],
    ['-0', { value: -0 }],
    [[1, 'NaN', [2]], { value: [1, Number.NaN, [2]] }],
    ['blob', { value: 'blob' }],
    [{ count: 3 }, { value: { count: 3 } }],
    [true, { value: true }],
    ['unknown', { failure: 'unknown' }],
    [null, { failure: 'unknown' }],
    [undefined, { failure: 'unknown' }],
    [{ unknown: 'trapped' }, { failure: 'trapped' }],
  ])('%j', (given, expected) => {
    expect(givenValue(given)).toEqual(expected);
  });
});

describe('what is read', () => {
  test('is refused with its path, what was expected, and what came', () => {
    expect(refusal(() => mapOf('a.b', [], ['x']))).toEqual(['a.b', 'a.b: expected a map of keys, got []']);
    expect(refusal(() => mapOf('a', { x: 1, y: 2 }, ['x']))).toEqual(['a.y', 'unknown key "y": expected one of x']);
    expect(refusal(() => mapOf('', { y: 2 }, ['x', 'z']))).toEqual(['y', 'unknown key "y": expected one of x, z']);
    expect(refusal(() => listOf('a', undefined))).toEqual(['a', 'a: expected a list, got nothing']);
    for (const bad of [-1, 1.5, '3', 2 ** 53]) expect(refusal(() => stepOf('a.step', bad))[0]).toBe('a.step');
    expect(refuse('a', 'less', 'x'.repeat(500)).message.length).toBeLessThan(120);
  });

  test('passes where it is right', () => {
    expect([mapOf('a', { x: 1 }), mapOf('a', { x: 1 }, ['x']), listOf('a', [1]), stepOf('a', 0)]).toEqual([
      { x: 1 },
      { x: 1 },
      [1],
      0,
    ]);
  });
});
