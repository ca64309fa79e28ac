import { expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { newestPut } from '../newest-put.js';

it('reads the time of the newest id, in whatever order', () => {
  const ids = [1_700_000_000_000, 1_700_000_000_500, 3].map((time) => ({ id: ulid(time) }));
  expect(newestPut(ids)).toBe(1_700_000_000_500);
  expect(newestPut(ids.toReversed())).toBe(1_700_000_000_500);
  expect(newestPut([])).toBe(0);
});

it('takes the last id that there can be', () => {
  expect(newestPut([{ id: '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' }])).toBe(2 ** 48 - 1);
});
