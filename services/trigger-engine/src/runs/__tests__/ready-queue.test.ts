import { describe, expect, test } from '@jest/globals';
import { makeBox } from '@tidegate/geometry';
import type { PartitionId, RawId } from '@tidegate/protocol';
import fc from 'fast-check';
import { type Due, dueKey, ReadyQueue } from '../ready-queue.js';

function due(step: number, partition?: string): Due {
  if (partition === undefined) return { step };
  return { step, partition: { id: partition as PartitionId, box: makeBox([0], [1]), raw: 'r' as RawId, bytes: 1 } };
}

const dues = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.option(fc.constantFrom('A', 'B'), { nil: undefined }));
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: dues }) },
  { weight: 4, arbitrary: fc.record({ remove: dues }) },
  { weight: 3, arbitrary: fc.record({ take: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ above: fc.integer({ min: 0, max: 20 }) }) },
);

describe('ReadyQueue', () => {
  test('holds each thing once, the lowest step first, of one step the first come', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const queue = new ReadyQueue();
        let reference: Due[] = [];
        for (const change of operations) {
          if ('add' in change) {
            const item = due(...change.add);
            const fresh = !reference.some((other) => dueKey(other) === dueKey(item));
            expect(queue.add(item)).toBe(fresh);
            if (fresh) reference.push(item);
          } else if ('remove' in change) {
            const item = due(...change.remove);
            queue.delete(item);
            reference = reference.filter((other) => dueKey(other) !== dueKey(item));
          } else if ('take' in change) {
            const [head] = queue.first(1);
            if (head) queue.delete(head);
            reference = reference.filter((other) => other !== head);
          } else {
            queue.deleteAbove(change.above);
            reference = reference.filter(({ step }) => step <= change.above);
          }
          const sorted = [...reference].sort((a, b) => a.step - b.step);
          expect(queue.first(100)).toEqual(sorted);
          expect(queue.size).toBe(sorted.length);
          for (let step = 0; step <= 21; step++) {
            expect(queue.hasStep(step)).toBe(reference.some((other) => other.step === step));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('takes 20,000 steps in and out', () => {
    const queue = new ReadyQueue();
    for (let step = 20_000; step-- > 0; ) queue.add({ step });
    for (let step = 0; step < 20_000; step++) {
      expect(queue.first(1)).toEqual([{ step }]);
      queue.delete({ step });
    }
    expect(queue.size).toBe(0);
  });
});
