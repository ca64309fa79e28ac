import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { variableHandle } from '@tidegate/client/region';
import { triggerRecord } from '../../__tests__/records.js';
import { FakeStaging } from '../../measure/__tests__/fake-staging.js';
import { compileRecord, type RegisteredTrigger } from '../../registry/registered-trigger.js';
import { addressOf, evaluate, withoutData } from '../evaluation.js';

let staging: FakeStaging;
let trigger: RegisteredTrigger;
const { signal } = new AbortController();

beforeAll(async () => {
  staging = await FakeStaging.start();
  const variable = staging.declare('T', [8]);
  const check = { mx: { reduce: 'max' }, mn: { reduce: 'min' } } as const;
  const nested = { name: 'c', check, compare: { condition: 'mx > mn' } };
  const definition = {
    name: 't',
    on: { variable: 'T' },
    compare: { condition: 'size(parts) == 2' },
    action: [{ trigger: nested }],
  };
  trigger = compileRecord(triggerRecord(definition, variable), variableHandle(variable));
});
afterAll(() => staging.end());
beforeEach(() => {
  staging.partitions = [];
  staging.dropped = false;
});

function evaluateStep(step: number) {
  return evaluate(staging, {
    trigger,
    node: trigger.root,
    run: 'r',
    due: { step },
    epoch: 2,
    previousStep: undefined,
    signal,
  });
}

test('a covered step has its pieces, and the time of the newest of them', async () => {
  const put = ['0:4', '4:8'].map((box) => staging.stage({ step: 5, box }));
  const evaluation = await evaluateStep(5);
  if (!evaluation.covered) throw new Error('the step is covered');
  const { evaluated } = evaluation;
  expect(evaluated).toMatchObject({ step: 5, epoch: 2 });
  expect(evaluated.plan.pieces.map(({ id }) => id)).toEqual(put.map(({ id }) => id));
  expect(evaluated.measured.parts).toMatchObject([{ box: '0:4' }, { box: '4:8' }]);
  expect(Math.abs(evaluated.time - Date.now())).toBeLessThan(10_000);
});

test('one that is not covered tells what it lacks, and whether that may still come', async () => {
  staging.stage({ step: 6, box: '0:4' });
  expect(await evaluateStep(6)).toEqual({ covered: false, missing: [{ lower: [4], upper: [8] }], gone: false });
  staging.dropped = true;
  expect(await evaluateStep(6)).toMatchObject({ covered: false, gone: true });
});

test('where the data is gone every check fails for that reason', () => {
  const nested = trigger.nodes.get('t~c');
  if (nested === undefined) throw new Error('there is a nested trigger');
  const measured = withoutData(nested, 'gone');
  expect([...measured.failures]).toEqual([
    ['mx', 'gone'],
    ['mn', 'gone'],
  ]);
  expect([measured.values.size, measured.parts]).toEqual([0, { unknown: 'gone' }]);
  expect(addressOf({ trigger, node: nested, run: 'r', due: { step: 1 } })).toMatchObject({
    trigger: 't~c',
    run: 'r',
    step: 1,
  });
});
