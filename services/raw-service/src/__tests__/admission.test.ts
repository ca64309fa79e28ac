import { describe, expect, test } from '@jest/globals';
import { BusyError, StorageFullError, TooLargeError } from '@tidegate/protocol';
import fc from 'fast-check';
import { Admission, MAX_WAITERS } from '../admission.js';
import type { Level } from '../watermark.js';

/** A room of `limitBytes` whose takings are numbers of bytes. */
function room(limitBytes: number, used = 0) {
  const state = { used, disk: 1e9, pressed: 0, levels: [] as Level[] };
  const admission: Admission<number> = new Admission<number>({
    limitBytes,
    usedBytes: () => state.used,
    needBytes: (bytes) => bytes,
    take: (bytes, durable) => {
      if (durable && bytes > state.disk) return undefined;
      state.used += bytes;
      return bytes;
    },
    diskFits: (bytes) => bytes <= state.disk,
    pressed: () => state.pressed++,
    refusal: (byDisk) => ({
      retryAfterMs: 100,
      state: admission.level,
      limit: byDisk ? 'disk' : 'memory',
      usedBytes: state.used,
      limitBytes,
    }),
    level: (level) => state.levels.push(level),
  });
  admission.changed();
  const free = (bytes: number) => {
    state.used -= bytes;
    admission.changed();
  };
  return { admission, state, free };
}

/** Puts that wait, by name, in the order in which they came in. */
function queue(admission: Admission<number>) {
  const admitted: string[] = [];
  const put = (name: string, bytes: number, options: { durable?: boolean } = {}) =>
    admission.reserve(bytes, { waitMs: 60_000, ...options }).then(
      () => admitted.push(name),
      () => undefined,
    );
  return { admitted, put };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const NOW = { waitMs: 0 };

describe('Admission', () => {
  test('takes what fits at once, keeps a reserve, and tells what could never fit', async () => {
    const { admission, state } = room(1000);
    expect(await admission.reserve(950, NOW)).toBe(950);
    await expect(admission.reserve(951, NOW)).rejects.toThrow(TooLargeError);
    await expect(admission.reserve(951, NOW)).rejects.toMatchObject({ limitBytes: 950 });
    await expect(admission.reserve(1, NOW)).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      retryable: true,
      storage: { retryAfterMs: 100, state: 'full', limit: 'memory', usedBytes: 950, limitBytes: 1000, needBytes: 1 },
    });
    expect(state.used).toBe(950);
    expect(state.pressed).toBeGreaterThan(0);
  });

  test('once full, lets nobody in until use is below the low mark', async () => {
    const { admission, free, state } = room(1000, 949);
    const { admitted, put } = queue(admission);
    void put('a', 10);
    await settled();
    free(9);
    free(40);
    await settled();
    expect([admitted, state.used]).toEqual([[], 900]);
    await expect(admission.reserve(1, NOW)).rejects.toThrow(StorageFullError);
    free(1);
    await settled();
    expect([admitted, state.used]).toEqual([['a'], 909]);
    expect(state.levels).toEqual(['nearfull', 'full', 'nearfull']);
    free(109 + 1);
    expect(state.levels.at(-1)).toBe('ok');
  });

  test('first come, first served: a small put does not pass a large one', async () => {
    const { admission, free, state } = room(1000, 500);
    const { admitted, put } = queue(admission);
    void put('large', 600);
    void put('small', 10);
    await settled();
    await expect(admission.reserve(10, NOW)).rejects.toThrow(StorageFullError);
    expect(admission.pressureBytes()).toBe(150);
    expect(admission.level).toBe('full');
    free(100);
    await settled();
    expect(admitted).toEqual([]);
    free(50);
    await settled();
    expect([admitted, state.used]).toEqual([['large'], 950]);
    free(60);
    await settled();
    expect(admitted).toEqual(['large', 'small']);
  });

  test('a wait ends with what stood in the way, and whoever stands behind moves up', async () => {
    const { admission } = room(1000, 500);
    const { admitted, put } = queue(admission);
    const large = admission.reserve(600, { waitMs: 20 });
    void put('small', 10);
    await expect(large).rejects.toMatchObject({ code: 'STORAGE_FULL', storage: { needBytes: 600, usedBytes: 500 } });
    await settled();
    expect([admitted, admission.waiting]).toEqual([['small'], 0]);
  });

  test('an abort ends a wait with its reason', async () => {
    const { admission } = room(1000, 940);
    const abort = new AbortController();
    const waiting = admission.reserve(100, { waitMs: 60_000, signal: abort.signal });
    abort.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(admission.reserve(1, { waitMs: 0, signal: abort.signal })).rejects.toThrow('gone');
    expect(admission.waiting).toBe(0);
  });

  test('a refused put is a reason to make room until it fits or there is none to make', async () => {
    const { admission, free } = room(1000, 820);
    await expect(admission.reserve(200, NOW)).rejects.toMatchObject({ storage: { state: 'ok' } });
    expect(admission.pressureBytes()).toBe(70);
    free(70);
    expect(admission.pressureBytes()).toBe(0);
    await expect(admission.reserve(300, NOW)).rejects.toThrow(StorageFullError);
    expect(admission.pressureBytes()).toBe(100);
    admission.calm();
    expect(admission.pressureBytes()).toBe(0);
  });

  test('a durable put that the disk keeps out says so and holds up nobody else', async () => {
    const { admission, state } = room(1000);
    state.disk = 5;
    await expect(admission.reserve(10, { waitMs: 0, durable: true })).rejects.toMatchObject({
      storage: { limit: 'disk' },
    });
    const { admitted, put } = queue(admission);
    void put('durable', 10, { durable: true });
    void put('memory', 10);
    await settled();
    expect(admitted).toEqual(['memory']);
    state.disk = 50;
    admission.changed();
    await settled();
    expect(admitted).toEqual(['memory', 'durable']);
  });

  test('the queue is bounded', async () => {
    const { admission } = room(1000, 950);
    const { put } = queue(admission);
    for (let i = 0; i < MAX_WAITERS; i++) void put('', 1);
    await expect(admission.reserve(1, { waitMs: 1000 })).rejects.toThrow(BusyError);
    admission.close(new Error('closing'));
    await expect(admission.reserve(1, { waitMs: 1000 })).rejects.toThrow('closing');
    expect(admission.waiting).toBe(0);
  });

  test('never exceeds the full mark and starves nobody, whatever comes and goes', async () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), bytes: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ kind: fc.constant('free' as const), bytes: fc.integer({ min: 1, max: 400 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const { admission, state, free } = room(1000);
        const { admitted, put } = queue(admission);
        const expected: string[] = [];
        for (const [i, { kind, bytes }] of events.entries()) {
          if (kind === 'put') {
            expected.push(String(i));
            void put(String(i), bytes);
          } else {
            free(Math.min(bytes, state.used));
          }
          expect(state.used).toBeLessThanOrEqual(950);
          await settled();
          expect(admitted).toEqual(expected.slice(0, admitted.length));
        }
        while (admission.waiting > 0) {
          expect(state.used).toBeGreaterThan(0);
          free(state.used);
          await settled();
        }
        expect(admitted).toEqual(expected);
        for (let i = 1; i < state.levels.length; i++) expect(state.levels[i]).not.toBe(state.levels[i - 1]);
      }),
      { numRuns: 50 },
    );
  });
});
