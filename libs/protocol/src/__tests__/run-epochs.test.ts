import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RollbackRecord, RunRecord } from '../buckets.js';
import { epochOf, isSuperseded, ROLLBACKS_LIMIT, standingRollbacks, withRollback } from '../run-epochs.js';

function recordOf(rollbacks: readonly RollbackRecord[]): RunRecord | undefined {
  let record: RunRecord | undefined;
  for (const rollback of rollbacks) {
    record = { run: 'r', ...rollback, at: '', standing: withRollback(standingRollbacks(record), rollback) };
  }
  return record;
}

const NAMES = ['u', 'v', 'w'];
const history = fc
  .array(
    fc.record(
      { toStep: fc.nat({ max: 12 }), variables: fc.subarray(NAMES, { minLength: 1 }) },
      { requiredKeys: ['toStep'] },
    ),
    { maxLength: 12 },
  )
  .map((list) => list.map((rollback, i): RollbackRecord => ({ epoch: i + 1, ...rollback })));

describe('epochOf', () => {
  test('is the epoch of the newest of all rollbacks below the step that concern the variable', () => {
    fc.assert(
      fc.property(history, (rollbacks) => {
        const record = recordOf(rollbacks);
        for (const name of NAMES) {
          for (let step = 0; step < 15; step++) {
            const concerned = rollbacks.filter(
              ({ toStep, variables = NAMES }) => toStep < step && variables.includes(name),
            );
            expect(epochOf(record, name, step)).toBe(Math.max(0, ...concerned.map(({ epoch }) => epoch)));
          }
        }
      }),
    );
  });

  test('of a record that lists no standing ones is that of its newest', () => {
    const record: RunRecord = { run: 'r', epoch: 4, toStep: 10, variables: ['v'], at: '' };
    expect(epochOf(record, 'v', 11)).toBe(4);
    expect(epochOf(record, 'v', 10)).toBe(0);
    expect(epochOf(record, 'w', 11)).toBe(0);
    expect(epochOf(undefined, 'v', 11)).toBe(0);
  });
});

describe('withRollback', () => {
  test('drops what decides nothing any more: without variables epochs and steps both rise', () => {
    const steps = [9, 3, 5, 5, 8, 4];
    const record = recordOf(steps.map((toStep, i) => ({ epoch: i + 1, toStep })));
    expect(record?.standing).toEqual([
      { epoch: 2, toStep: 3 },
      { epoch: 6, toStep: 4 },
    ]);
  });

  test('keeps what others than the named variables need', () => {
    const standing = [
      { epoch: 1, toStep: 9 },
      { epoch: 2, toStep: 7, variables: ['v', 'w'] },
    ];
    expect(withRollback(standing, { epoch: 3, toStep: 5, variables: ['v'] })).toHaveLength(3);
    expect(withRollback(standing, { epoch: 3, toStep: 5, variables: ['w', 'v'] }).map(({ epoch }) => epoch)).toEqual([
      1, 3,
    ]);
    expect(withRollback(standing, { epoch: 3, toStep: 5 })).toEqual([{ epoch: 3, toStep: 5 }]);
  });

  test('begins from the newest of a record without a list, and keeps nothing but what decides', () => {
    const old: RunRecord = { run: 'r', epoch: 4, toStep: 2, reason: 'x', at: 'then' };
    expect(withRollback(standingRollbacks(old), { epoch: 5, toStep: 6 })).toEqual([
      { epoch: 4, toStep: 2 },
      { epoch: 5, toStep: 6 },
    ]);
  });

  test('is bounded: the oldest go', () => {
    const record = recordOf(Array.from({ length: ROLLBACKS_LIMIT + 5 }, (_, i) => ({ epoch: i + 1, toStep: i })));
    expect(record?.standing).toHaveLength(ROLLBACKS_LIMIT);
    expect(record?.standing?.[0]?.epoch).toBe(6);
  });
});

describe('isSuperseded', () => {
  const late = { variable: 'v', step: 11, epoch: 1 };

  test('by a rollback that began after the put, below its step, of its variable', () => {
    const rollback: RunRecord = { run: 'r', epoch: 2, toStep: 10, at: '' };
    expect(isSuperseded(rollback, late)).toBe(true);
    expect(isSuperseded(undefined, late)).toBe(false);
    expect(isSuperseded(rollback, { ...late, step: 10 })).toBe(false);
    expect(isSuperseded(rollback, { ...late, epoch: 2 })).toBe(false);
    expect(isSuperseded({ ...rollback, variables: ['w'] }, late)).toBe(false);
    expect(isSuperseded({ ...rollback, variables: ['w', 'v'] }, late)).toBe(true);
  });

  test('by an earlier rollback where the newest went to a step above', () => {
    const record = recordOf([
      { epoch: 1, toStep: 10 },
      { epoch: 2, toStep: 20 },
    ]);
    expect(isSuperseded(record, { ...late, step: 15, epoch: 0 })).toBe(true);
    expect(isSuperseded(record, { ...late, step: 15, epoch: 1 })).toBe(false);
    expect(isSuperseded(record, { ...late, step: 21, epoch: 1 })).toBe(true);
    expect(isSuperseded(record, { ...late, step: 5, epoch: 0 })).toBe(false);
  });
});
