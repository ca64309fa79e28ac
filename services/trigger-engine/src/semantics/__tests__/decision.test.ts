import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../canonical-json.js';
import { type CompareState, INITIAL_STATE } from '../compare-state.js';
import { decideStep, type Measurement } from '../decide-step.js';
import {
  actionId,
  type Decision,
  type DecisionKey,
  decisionId,
  decisionOf,
  eventOf,
  outboxOf,
  stateAfterRollbacks,
} from '../decision.js';
import { validateDefinition } from '../validate-definition.js';

const { triggers } = validateDefinition(
  {
    name: 'hot',
    on: { variable: 'T', box: '0:4' },
    check: { mx: { reduce: 'max' }, at: { reduce: 'argmax' } },
    compare: { condition: 'mx > 1.0 || mx != mx', for: 1, cooldown: 1 },
    action: [
      { emit: { data: { severity: 'warn', a: 1 } } },
      { pin: { steps: 3 } },
      { persist: {} },
      { task: { name: 'render', args: { iso: 0.5 } } },
      { emit: { data: { a: 2 } } },
      { call: { subject: 'ops.page' } },
      { derive: { transform: { downsample: 2 }, to: 'S' } },
      { steer: { op: 'pause' } },
      { trigger: { name: 'confirm' } },
    ],
  },
  { variable: { name: 'T', dtype: 'float64', shape: [8] } },
);
const [HOT] = triggers;
if (HOT === undefined) throw new Error('no trigger');
const KEY: DecisionKey = { trigger: 'hot', generation: 2, run: 'r', epoch: 1, step: 7 };

function decide(mx: number, facts: { readonly partition?: string } = {}): Decision {
  if (HOT === undefined) throw new Error('no trigger');
  const measurement: Measurement = {
    run: 'r',
    variable: 'T',
    step: 7,
    epoch: 1,
    time: 0,
    values: new Map<string, number | readonly number[]>([
      ['mx', mx],
      ['at', [3]],
    ]),
    failures: new Map(),
    parts: [],
  };
  const outcome = decideStep(HOT, INITIAL_STATE, measurement);
  return decisionOf(HOT, outcome, { measurement, generation: 2, committedAt: '2026-01-02T03:04:05Z', ...facts });
}

describe('ids', () => {
  test('are made of the key alone, and no two keys have the same', () => {
    expect(decisionId(KEY)).toBe('hot/2/r/1/7');
    expect(decisionId({ ...KEY, partition: 'P' })).toBe('hot/2/r/1/7/P');
    expect(actionId(KEY, 3)).toBe('hot/2/r/1/7#3');
    const key = fc.record({
      trigger: fc.constantFrom('a', 'a~b', 'a1', 'a-1'),
      generation: fc.nat(12),
      run: fc.constantFrom('1', 'a', '11'),
      epoch: fc.nat(12),
      step: fc.nat(12),
    });
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(decisionId(a) === decisionId(b)).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });
});

describe('decisionOf', () => {
  test('carries verdict, values, state and what is to be done, as plain JSON', () => {
    const decision = decide(Number.NaN);
    expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
    expect(decision).toMatchObject({
      ...KEY,
      verdict: 'fired',
      state: 'firing',
      late: false,
      indicator: true,
      values: { mx: 'NaN', at: [3] },
      reason: 'the condition holds',
      after: { phase: 'firing', cooling: 1, lastStep: 7 },
    });
    expect(decision.outbox).toHaveLength(8);
  });

  test('asks for nothing where it did not fire', () => {
    const decision = decide(0);
    expect(decision).toMatchObject({ verdict: 'quiet', indicator: false, outbox: [] });
  });

  test('tells the partition where there is one', () => {
    expect(decisionId(decide(2, { partition: 'P' }))).toBe('hot/2/r/1/7/P');
    expect('partition' in decide(2)).toBe(false);
  });
});

test('an outbox has the event first, then the actions in order, each under its own id', () => {
  expect(outboxOf(KEY, HOT.action)).toEqual([
    { id: 'hot/2/r/1/7', kind: 'event', data: { severity: 'warn', a: 2 } },
    { id: 'hot/2/r/1/7#1', kind: 'pin', action: { steps: 3 } },
    { id: 'hot/2/r/1/7#2', kind: 'persist', action: {} },
    { id: 'hot/2/r/1/7#3', kind: 'task', action: { name: 'render', args: { iso: 0.5 } } },
    { id: 'hot/2/r/1/7#5', kind: 'call', action: { subject: 'ops.page', timeoutMs: 2000 } },
    { id: 'hot/2/r/1/7#6', kind: 'derive', action: { transform: { downsample: 2 }, to: 'S' } },
    { id: 'hot/2/r/1/7#7', kind: 'steer', action: { op: 'pause', args: {} } },
    { id: 'hot/2/r/1/7#8', kind: 'trigger', trigger: 'hot~confirm' },
  ]);
  expect(outboxOf(KEY, [])).toEqual([{ id: 'hot/2/r/1/7', kind: 'event', data: {} }]);
});

test('an event is the body of the contract', () => {
  expect(eventOf(decide(3), HOT.scope)).toEqual({
    run: 'r',
    epoch: 1,
    step: 7,
    trigger: 'hot',
    generation: 2,
    variable: 'T',
    box: '0:4',
    values: { mx: 3, at: [3] },
    indicator: true,
    data: { severity: 'warn', a: 2 },
    decision: 'hot/2/r/1/7',
  });
});

describe('stateAfterRollbacks', () => {
  test('agrees with a log from which every rollback cuts off what it supersedes', () => {
    const moves = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.record({ step: fc.constant(1), late: fc.boolean() }) },
        { weight: 1, arbitrary: fc.record({ rollback: fc.nat(12) }) },
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(moves, fc.infiniteStream(fc.nat()), (list, order) => {
        const log: Decision[] = [];
        const rollbacks: { epoch: number; toStep: number }[] = [];
        let standing: { step: number; after: CompareState }[] = [];
        let epoch = 0;
        let step = 0;
        for (const move of list) {
          if ('rollback' in move) {
            const toStep = move.rollback;
            rollbacks.push({ epoch: ++epoch, toStep });
            standing = standing.filter((entry) => entry.step <= toStep);
            step = Math.min(step, toStep);
            continue;
          }
          step += 1;
          const after = { ...INITIAL_STATE, lastStep: step, held: log.length + 1 };
          log.push({ ...decide(0), epoch, step, late: move.late, after });
          if (!move.late) standing.push({ step, after });
        }
        const shuffled = log.map((decision) => ({ decision, key: order.next().value as number }));
        const decisions = shuffled.sort((a, b) => a.key - b.key).map(({ decision }) => decision);
        expect(stateAfterRollbacks(decisions, rollbacks)).toEqual(standing.at(-1)?.after ?? INITIAL_STATE);
      }),
    );
  });
});
