import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BUCKETS, parsePinKey, pinKey, STREAMS } from '../buckets.js';

test('names and lives of the buckets', () => {
  expect(Object.fromEntries(Object.values(BUCKETS).map(({ name, ttlMs }) => [name, ttlMs]))).toEqual({
    tide_cluster: 0,
    tide_variables: 0,
    tide_runs: 0,
    tide_pins: 0,
    tide_raws: 0,
    tide_members: 5000,
    tide_leases: 3000,
  });
});

test('everything in JetStream is bounded', () => {
  for (const { maxBytes } of [...Object.values(BUCKETS), ...Object.values(STREAMS)]) {
    expect(maxBytes).toBeGreaterThan(0);
    expect(maxBytes).toBeLessThanOrEqual(256 << 20);
  }
  expect(STREAMS.events).toMatchObject({ name: 'TIDE_EVENTS', subjects: ['tide.v1.event.>'] });
});

test('the key of a pin tells its parts again', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  fc.assert(
    fc.property(name, name, fc.maxSafeNat(), (variable, run, step) => {
      expect(parsePinKey(pinKey(variable, run, step))).toEqual({ variable, run, step });
    }),
  );
});
