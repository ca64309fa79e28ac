import { describe, expect, test } from '@jest/globals';
import { epochOf, type RollbackRecord, type RunRecord, withRollback } from '@tidegate/protocol';
import fc from 'fast-check';
import { RunEpochs } from '../run-epochs.js';

const rollback = fc.record({
  toStep: fc.integer({ min: 0, max: 20 }),
  variables: fc.option(fc.subarray(['v', 'w'], { minLength: 1 }), { nil: undefined }),
});

function records(rollbacks: readonly { toStep: number; variables: string[] | undefined }[]): RunRecord[] {
  let standing: readonly RollbackRecord[] = [];
  return rollbacks.map(({ toStep, variables }, at) => {
    const newest = { epoch: at + 1, toStep, ...(variables && { variables }) };
    standing = withRollback(standing, newest);
    return { run: 'r', ...newest, at: '', standing };
  });
}

describe('RunEpochs', () => {
  test('says the same of every step as the contract', () => {
    fc.assert(
      fc.property(fc.array(rollback, { maxLength: 6 }), (rollbacks) => {
        const record = records(rollbacks).at(-1);
        const epochs = new RunEpochs(record, 'v');
        for (let step = 0; step < 24; step++) expect(epochs.epochOf(step)).toBe(epochOf(record, 'v', step));
        expect(epochs.newest).toBe(rollbacks.length);
        expect(epochs.rolledBack).toBe(rollbacks.some(({ variables }) => variables?.includes('v') ?? true));
      }),
      { numRuns: 300 },
    );
  });

  test('finds the first step that a rollback moved to another epoch', () => {
    fc.assert(
      fc.property(fc.array(rollback, { minLength: 1, maxLength: 6 }), (rollbacks) => {
        const all = records(rollbacks);
        const before = new RunEpochs(all.at(-2), 'v');
        const after = new RunEpochs(all.at(-1), 'v');
        const moved = Array.from({ length: 24 }, (_, step) => step).filter(
          (step) => before.epochOf(step) !== after.epochOf(step),
        );
        expect(before.firstChanged(after)).toBe(moved[0]);
      }),
      { numRuns: 300 },
    );
  });
});
