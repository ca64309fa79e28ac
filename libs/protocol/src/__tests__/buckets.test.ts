import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BUCKETS, kernelKey, parsePinKey, pinKey, STREAMS, type StreamDescription, settledKey } from '../buckets.js';

test('names and lives of the buckets', () => {
  expect(Object.fromEntries(Object.values(BUCKETS).map(({ name, ttlMs }) => [name, ttlMs]))).toEqual({
    tide_cluster: 0,
    tide_variables: 0,
    tide_runs: 0,
    tide_pins: 0,
    tide_raws: 0,
    tide_triggers: 0,
    tide_kernels: 0,
    tide_settled: 0,
    tide_members: 5000,
    tide_leases: 3000,
  });
});

test('everything in JetStream is bounded', () => {
  for (const { maxBytes } of [...Object.values(BUCKETS), ...Object.values(STREAMS)]) {
    expect(maxBytes).toBeGreaterThan(0);
    expect(maxBytes).toBeLessThanOrEqual(256 << 20);
  }
});

test('the streams keep what must not be lost, and let the oldest of the rest go', () => {
  const described = Object.values(STREAMS as Readonly<Record<string, StreamDescription>>).map(
    ({ name, subjects, discard, maxAgeMs, retention }) => [name, ...subjects, discard, maxAgeMs, retention],
  );
  expect(described).toEqual([
    ['TIDE_EVENTS', 'tide.v1.event.>', 'old', 604_800_000, undefined],
    ['TIDE_POINTERS', 'tide.v1.pointer.>', 'old', 3_600_000, undefined],
    ['TIDE_DECISIONS', 'tide.v1.decision.>', 'new', 0, undefined],
    ['TIDE_TASKS', 'tide.v1.task.*', 'new', 0, 'workqueue'],
    ['TIDE_TASKS_DEAD', 'tide.v1.task-dead.*', 'old', 0, undefined],
    ['TIDE_STEERING', 'tide.v1.steer.*', 'old', 604_800_000, undefined],
  ]);
});

test('every log has a key of its own, which a bucket takes', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const log = fc.record({
    trigger: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('~')),
    generation: fc.integer({ min: 1 }),
    run: name,
  });
  fc.assert(
    fc.property(log, log, (a, b) => {
      expect(settledKey(a)).toMatch(/^[A-Za-z0-9_/=.-]+$/);
      expect(settledKey(a) === settledKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
  expect(settledKey({ trigger: 'a~b', generation: 2, run: 'r' })).toBe('a/b.2.r');
});

test('the key of a pin tells its parts again', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  fc.assert(
    fc.property(name, name, fc.maxSafeNat(), (variable, run, step) => {
      expect(parsePinKey(pinKey(variable, run, step))).toEqual({ variable, run, step });
    }),
  );
});

test('a module is stored under the digits of its digest', () => {
  expect(kernelKey(`sha256:${'0f'.repeat(32)}`)).toBe('0f'.repeat(32));
});
