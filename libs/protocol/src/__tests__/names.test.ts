import { expect, test } from '@jest/globals';
import { isName, isStep, isUlid } from '../names.js';

test('names', () => {
  for (const name of ['a', 'T_small', '0-9', '-', '_', 'x'.repeat(64)]) expect(isName(name)).toBe(true);
  for (const name of [
    '',
    'x'.repeat(65),
    'a.b',
    'a b',
    'a*',
    '>',
    'é',
    'a\n',
    '\na',
    'a/b',
    5,
    null,
    undefined,
    ['a'],
  ]) {
    expect(isName(name)).toBe(false);
  }
});

test('ULIDs are canonical: 26 characters, upper case, no I L O U, at most 7ZZ…', () => {
  expect(isUlid('01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(true);
  expect(isUlid('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBe(true);
  for (const text of [
    '8ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    '01arz3ndektsv4rrffq69g5fav',
    '01ARZ3NDEKTSV4RRFFQ69G5FA',
    1,
    null,
  ]) {
    expect(isUlid(text)).toBe(false);
  }
  for (const letter of 'ILOU') expect(isUlid(`01ARZ3NDEKTSV4RRFFQ69G5FA${letter}`)).toBe(false);
});

test('steps', () => {
  for (const step of [0, 1, Number.MAX_SAFE_INTEGER]) expect(isStep(step)).toBe(true);
  for (const step of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 1n])
    expect(isStep(step)).toBe(false);
});
