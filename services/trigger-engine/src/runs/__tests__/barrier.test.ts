import { describe, expect, test } from '@jest/globals';
import { type Box, contains, intersects, makeBox } from '@tidegate/geometry';
import fc from 'fast-check';
import { Barrier } from '../barrier.js';

const SIZE = 8;
const range = fc
  .tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 1, max: SIZE }))
  .map(([lower, length]) => [lower, Math.min(SIZE, lower + length)] as const);
const box = fc.tuple(range, range).map(([[a, b], [c, d]]) => makeBox([a, c], [b, d]));

function cells(within: Box): string[] {
  const all: string[] = [];
  for (let y = within.lower[0] as number; y < (within.upper[0] as number); y++) {
    for (let x = within.lower[1] as number; x < (within.upper[1] as number); x++) all.push(`${y},${x}`);
  }
  return all;
}

describe('Barrier', () => {
  test('is full exactly when every cell of its box has arrived', () => {
    fc.assert(
      fc.property(box, fc.array(box, { maxLength: 30 }), (watched, arrivals) => {
        const barrier = new Barrier(3, watched, { known: true, now: 0 });
        const open = new Set(cells(watched));
        for (const [at, arrival] of arrivals.entries()) {
          barrier.arrive(arrival, at + 1);
          for (const cell of cells(arrival)) open.delete(cell);
          expect(barrier.full).toBe(open.size === 0);
          expect(barrier.lastArrival).toBe(at + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('an answer of the shards counts, with what arrived since they were asked', () => {
    fc.assert(
      fc.property(box, fc.array(box), fc.array(box), fc.array(box), (watched, before, answered, since) => {
        const barrier = new Barrier(3, watched, { known: false, now: 0 });
        for (const arrival of before) barrier.arrive(arrival, 1);
        const question = barrier.ask();
        expect(barrier.asking).toBe(true);
        for (const arrival of since) barrier.arrive(arrival, 1);
        // Disjoint cells of the box as single boxes: what the shards say is missing.
        const missing = cells(watched)
          .map((cell) => cell.split(',').map(Number))
          .map(([y = 0, x = 0]) => makeBox([y, x], [y + 1, x + 1]))
          .filter((cell) => answered.some((part) => contains(part, cell)));
        barrier.answer(question, missing);
        expect(barrier.asking).toBe(false);
        expect(barrier.known).toBe(true);
        const left = missing.filter((cell) => !since.some((part) => intersects(part, cell)));
        expect(barrier.full).toBe(left.length === 0);
      }),
      { numRuns: 300 },
    );
  });

  test('without an answer it counts on', () => {
    const barrier = new Barrier(1, makeBox([0], [4]), { known: false, now: 0 });
    const question = barrier.ask();
    barrier.arrive(makeBox([0], [2]), 1);
    barrier.answer(question, undefined);
    expect(barrier.known).toBe(false);
    barrier.arrive(makeBox([2], [4]), 2);
    expect(barrier.full).toBe(true);
  });

  test('of two questions the newer one counts, whichever is answered first', () => {
    const barrier = new Barrier(1, makeBox([0], [4]), { known: true, now: 0 });
    const older = barrier.ask();
    barrier.arrive(makeBox([0], [1]), 1);
    const newer = barrier.ask();
    barrier.arrive(makeBox([1], [2]), 1);
    barrier.answer(newer, [makeBox([1], [3])]);
    expect(barrier.full).toBe(false);
    barrier.answer(older, [makeBox([0], [4])]);
    barrier.arrive(makeBox([2], [3]), 2);
    expect(barrier.full).toBe(true);
    expect(barrier.asking).toBe(false);
  });

  test('leaves boxes that are cut into too many parts to the shards', () => {
    const barrier = new Barrier(1, makeBox([0, 0], [200, 200]), { known: true, now: 0 });
    for (let y = 0; y < 200; y += 2) {
      for (let x = 0; x < 200; x += 2) barrier.arrive(makeBox([y, x], [y + 1, x + 1]), 1);
    }
    expect(barrier.full).toBe(false);
    expect(barrier.known).toBe(false);
  });
});
