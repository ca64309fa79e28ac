import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StepSet } from '../step-set.js';

const step = fc.integer({ min: 0, max: 60 });
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ add: step }) },
  { weight: 1, arbitrary: fc.record({ removeAbove: fc.integer({ min: -1, max: 60 }) }) },
);

describe('StepSet', () => {
  test('is a set of steps, whatever comes in which order', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const set = new StepSet();
        let reference = new Set<number>();
        for (const change of operations) {
          if ('add' in change) {
            set.add(change.add);
            reference.add(change.add);
          } else {
            set.removeAbove(change.removeAbove);
            reference = new Set([...reference].filter((member) => member <= change.removeAbove));
          }
        }
        for (let at = 0; at <= 62; at++) {
          expect(set.has(at)).toBe(reference.has(at));
          const lower = [...reference].filter((member) => member < at);
          expect(set.below(at)).toBe(lower.length === 0 ? undefined : Math.max(...lower));
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([1, 10, 7])('takes the room of one progression for 100,000 steps at distance %i', (stride) => {
    const set = new StepSet();
    for (let n = 0; n < 100_000; n++) set.add(n * stride);
    expect(set.extent).toBe(1);
    expect(set.has(99_999 * stride)).toBe(true);
  });

  test('heals where neighbours came the wrong way round', () => {
    const set = new StepSet();
    for (let n = 0; n < 1000; n += 2) {
      set.add(n + 1);
      set.add(n);
    }
    for (let n = 0; n < 1000; n++) expect(set.has(n)).toBe(true);
    expect(set.extent).toBeLessThanOrEqual(2);
  });

  test('takes the largest steps', () => {
    const set = new StepSet();
    set.add(Number.MAX_SAFE_INTEGER);
    set.add(0);
    expect(set.has(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(set.below(Number.MAX_SAFE_INTEGER)).toBe(0);
  });
});
