import { expect, test } from '@jest/globals';
import { newIncarnation } from '@tidegate/bus';
import type { RawId } from '@tidegate/protocol';
import { RawStarts } from '../raw-starts.js';

const raw = 'raw-a' as RawId;

test('the first start that is heard of is the present one', () => {
  const starts = new RawStarts();
  expect(starts.judge(raw, '01B')).toBe('later');
  expect(starts.judge(raw, '01B')).toBe('current');
  expect(starts.current(raw)).toBe('01B');
});

test('a later ULID is a later start, an earlier one is stale', () => {
  const starts = new RawStarts();
  expect(starts.announced(raw, '01B')).toBe(true);
  expect(starts.announced(raw, '01B')).toBe(false);
  expect(starts.judge(raw, '01A')).toBe('stale');
  expect(starts.judge(raw, '01C')).toBe('later');
  expect(starts.judge(raw, '01B')).toBe('stale');
});

test('the bucket is believed also when a clock ran backwards between two starts', () => {
  const starts = new RawStarts();
  starts.announced(raw, '01X');
  expect(starts.judge(raw, '01A')).toBe('stale');
  starts.announced(raw, '01A');
  expect(starts.judge(raw, '01A')).toBe('current');
  expect(starts.judge(raw, '01X')).toBe('stale');
});

test('forgets a raw-service, and remembers a bounded number of starts', () => {
  const starts = new RawStarts();
  for (let n = 0; n < 40; n++) starts.announced(raw, newIncarnation());
  starts.announced(raw, '00');
  expect(starts.current(raw)).toBe('00');
  starts.forget(raw);
  expect(starts.current(raw)).toBeUndefined();
  expect(starts.judge(raw, '00')).toBe('later');
});
