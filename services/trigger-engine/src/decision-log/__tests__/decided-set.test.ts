import { describe, expect, test } from '@jest/globals';
import type { RollbackRecord, RunRecord } from '@tidegate/protocol';
import fc from 'fast-check';
import { RunEpochs } from '../../runs/run-epochs.js';
import { DecidedSet } from '../decided-set.js';

describe('DecidedSet', () => {
  test('knows steps by epoch, and the newest one below another that still stands', () => {
    const decision = fc.record({ step: fc.integer({ min: 0, max: 20 }), epoch: fc.integer({ min: 0, max: 3 }) });
    const tos = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(decision), tos, (decisions, toSteps) => {
        const standing = toSteps.sort((a, b) => a - b).map((toStep, at): RollbackRecord => ({ epoch: at + 1, toStep }));
        const newest = standing.at(-1);
        const record: RunRecord | undefined = newest && { run: 'r', ...newest, at: '', standing };
        const epochs = new RunEpochs(record, 'v');
        const set = new DecidedSet();
        for (const each of decisions) set.add(each);
        const stands = decisions.filter(({ step, epoch }) => epochs.epochOf(step) === epoch).map(({ step }) => step);
        for (let step = 0; step <= 22; step++) {
          const lower = stands.filter((other) => other < step);
          expect(set.below(step, epochs)).toBe(lower.length === 0 ? undefined : Math.max(...lower));
          for (let epoch = 0; epoch <= 3; epoch++) {
            const known = decisions.some((each) => each.step === step && each.epoch === epoch);
            expect(set.has({ step, epoch })).toBe(known);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('knows partitions, and takes for decided what a full log dropped', () => {
    const set = new DecidedSet();
    set.add({ step: 4, epoch: 0, partition: 'A' });
    expect(set.has({ step: 4, epoch: 0, partition: 'A' })).toBe(true);
    expect(set.has({ step: 4, epoch: 0, partition: 'B' })).toBe(false);
    set.raiseFloor(5);
    expect(set.has({ step: 4, epoch: 0, partition: 'B' })).toBe(true);
    expect(set.has({ step: 5, epoch: 0, partition: 'B' })).toBe(false);
  });
});
