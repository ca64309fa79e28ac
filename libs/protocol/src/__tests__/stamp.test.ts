import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Stamp } from '../names.js';
import { compareAge, HybridClock } from '../stamp.js';

const wall = fc.oneof(
  fc.integer({ min: 0, max: 2000 }),
  fc.integer({ min: 1_700_000_000_000, max: 8_700_000_000_000 }),
);

describe('HybridClock', () => {
  test('stamps rise whatever the wall clock says', () => {
    fc.assert(
      fc.property(fc.array(wall, { minLength: 2 }), (walls) => {
        let now = 0;
        const clock = new HybridClock(() => now);
        let last = -1;
        for (now of walls) {
          const stamp = clock.next();
          expect(stamp).toBeGreaterThan(last);
          expect(stamp).toBeGreaterThanOrEqual(now * 1024);
          expect(Number.isSafeInteger(stamp)).toBe(true);
          last = stamp;
        }
      }),
    );
  });

  test('the counter runs while the wall clock stands, and past its 1024 values', () => {
    const clock = new HybridClock(() => 5);
    const stamps = Array.from({ length: 3000 }, () => clock.next());
    expect(stamps[0]).toBe(5 * 1024);
    expect(stamps.at(-1)).toBe(5 * 1024 + 2999);
  });

  test('a fraction of a millisecond is cut off', () => {
    expect(new HybridClock(() => 7.9).next()).toBe(7 * 1024);
  });

  test('what begins after a received stamp is larger, also where the own wall clock is behind', () => {
    const ahead = new HybridClock(() => 10_000);
    const behind = new HybridClock(() => 1);
    const seen = ahead.next();
    behind.receive(seen);
    expect(behind.next()).toBe(seen + 1);
  });

  test('an old stamp does not move the clock back', () => {
    const clock = new HybridClock(() => 100);
    const first = clock.next();
    clock.receive(3 as Stamp);
    expect(clock.next()).toBe(first + 1);
  });

  test('clocks that tell each other order all that happens after', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ who: fc.nat(3), at: fc.nat(1_000_000) }), { minLength: 1 }), (events) => {
        const walls = [0, 0, 0, 0];
        const clocks = walls.map((_, who) => new HybridClock(() => walls[who] ?? 0));
        let last = -1 as Stamp;
        for (const { who, at } of events) {
          walls[who] = at;
          clocks[who]?.receive(last);
          const stamp = clocks[who]?.next() as Stamp;
          expect(stamp).toBeGreaterThan(last);
          last = stamp;
        }
      }),
    );
  });
});

describe('compareAge', () => {
  const aged = fc.record({ stamp: fc.nat(3), id: fc.constantFrom('A', 'B', 'C', 'a') });

  test('is a total order: newer stamps first, ids among equal ones', () => {
    expect(compareAge({ stamp: 2, id: 'A' }, { stamp: 1, id: 'B' })).toBeGreaterThan(0);
    expect(compareAge({ stamp: 1, id: 'A' }, { stamp: 1, id: 'B' })).toBeLessThan(0);
    fc.assert(
      fc.property(aged, aged, aged, (a, b, c) => {
        const ab = Math.sign(compareAge(a, b));
        expect(ab).toBe(0 - Math.sign(compareAge(b, a)));
        expect(ab === 0).toBe(a.stamp === b.stamp && a.id === b.id);
        if (ab <= 0 && compareAge(b, c) <= 0) expect(compareAge(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test('does not overflow between the largest stamps', () => {
    expect(compareAge({ stamp: Number.MAX_SAFE_INTEGER, id: 'A' }, { stamp: 0, id: 'A' })).toBeGreaterThan(0);
  });
});
