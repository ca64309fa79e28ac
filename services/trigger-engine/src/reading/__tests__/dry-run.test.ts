import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { KernelPool } from '@tidegate/kernels/pool';
import {
  BadRequestError,
  type StepSelection,
  TooLargeError,
  type TriggerTestReply,
  triggerTestReplySchema,
  UnknownVariableError,
} from '@tidegate/protocol';
import { ComputingRaw } from '../../measure/__tests__/computing-raw.js';
import { dryRun, listed } from '../dry-run.js';
import { type ReadingBench, startReadingBench } from './reading-bench.js';

let bench: ReadingBench;
let pool: KernelPool;
const { signal } = new AbortController();

beforeAll(async () => {
  bench = await startReadingBench();
  bench.staging.declare('T', [8]);
  pool = await KernelPool.open({ maxWorkers: 1 });
  new ComputingRaw({
    staging: bench.staging,
    pool,
    field:
      (step) =>
      ([x = 0]) =>
        step + x / 10,
    raws: ['raw-a'],
  });
  bench.staging.answerLookups('raw-a');
});
afterAll(async () => {
  await bench.end();
  await pool.stop();
});
beforeEach(() => {
  bench.staging.partitions = [];
});

async function test(more: object, steps: StepSelection): Promise<TriggerTestReply> {
  const definition = { name: 'hot', on: { variable: 'T' }, ...more };
  return triggerTestReplySchema.parse(await dryRun(bench.context, { definition, run: 'r', steps }, signal));
}

it('decides the staged steps in order, and lists the others', async () => {
  for (const step of [5, 1, 3]) bench.staging.stage({ step, box: '0:8' });
  bench.staging.stage({ step: 4, box: '0:4' });
  const check = { mx: { reduce: 'max' }, d: { reduce: 'linf_diff', against: 'previous' } };
  const compare = { condition: 'mx > 2.0', for: 2 };
  const { decisions, notCovered } = await test({ check, compare }, [5, 4, 3, 1, 2, 1]);
  expect(notCovered).toEqual([2, 4]);
  expect(decisions.map(({ step, verdict, state }) => [step, verdict, state])).toEqual([
    [1, 'quiet', 'inactive'],
    [3, 'quiet', 'pending'],
    [5, 'fired', 'firing'],
  ]);
  expect(decisions.map(({ values }) => values['d'])).toEqual([undefined, expect.closeTo(2), expect.closeTo(2)]);
  expect(decisions[0]?.failures).toEqual({ d: 'no step before this one was decided' });
  expect(decisions.every(({ sequence }) => sequence === undefined)).toBe(true);
});

it('goes into nested triggers where the outer one fires', async () => {
  for (const step of [1, 2, 3]) bench.staging.stage({ step, box: '0:8' });
  const nested = { name: 'confirm', check: { mn: { reduce: 'min' } }, compare: { condition: 'mn >= 3.0' } };
  const { decisions } = await test({ compare: { condition: 'step >= 2' }, action: [{ trigger: nested }] }, '1:4');
  expect(decisions.map(({ trigger, step, verdict }) => [trigger, step, verdict])).toEqual([
    ['hot', 1, 'quiet'],
    ['hot', 2, 'fired'],
    ['hot~confirm', 2, 'quiet'],
    ['hot', 3, 'fired'],
    ['hot~confirm', 3, 'fired'],
  ]);
});

it('passes over steps that are not the trigger’s', async () => {
  for (const step of [1, 2, 3, 4]) bench.staging.stage({ step, box: '0:8' });
  expect((await test({ on: { variable: 'T', every: 2 } }, '1:5')).decisions.map(({ step }) => step)).toEqual([2, 4]);
  expect(await test({ on: { variable: 'T', run: 'other' } }, '1:5')).toEqual({ decisions: [], notCovered: [] });
});

it('decides every partition alone where the trigger does', async () => {
  const one = bench.staging.stage({ step: 2, box: '0:4' });
  const two = bench.staging.stage({ step: 2, box: '4:6' });
  const on = { variable: 'T', when: 'partition', box: '2:8' };
  const { decisions, notCovered } = await test({ on, check: { mn: { reduce: 'min' } } }, [2, 3]);
  const ordered = [one, two].sort((a, b) => (a.id < b.id ? -1 : 1));
  expect(decisions.map(({ partition }) => partition)).toEqual(ordered.map(({ id }) => id));
  expect(decisions.map(({ values }) => values['mn']).sort()).toEqual([2.2, 2.4]);
  expect(notCovered).toEqual([3]);
});

it('refuses bad definitions, unknown variables, missing kernels', async () => {
  await expect(test({ check: { mx: { reduce: 'nothing' } } }, 1)).rejects.toThrow(BadRequestError);
  await expect(test({ on: { variable: 'nothing' } }, 1)).rejects.toThrow(UnknownVariableError);
  const wasm = { digest: `sha256:${'0'.repeat(64)}`, export: 'score' };
  await expect(test({ check: { s: { wasm } } }, 1)).rejects.toMatchObject({ field: 'check.s.wasm.digest' });
});

it('says that the reply fits no message', async () => {
  for (let step = 0; step < 20; step++) bench.staging.stage({ step, box: '0:8' });
  const check: Record<string, object> = {};
  for (let n = 0; n < 8; n++) check[`h${n}`] = { reduce: 'histogram', bins: 4096, range: [n, 1000] };
  await expect(test({ check }, '0:20')).rejects.toThrow(TooLargeError);
});

it('lists the selected steps once each, rising, and not too many', () => {
  expect(listed(7)).toEqual([7]);
  expect(listed([3, 1, 3])).toEqual([1, 3]);
  expect(listed('2:5')).toEqual([2, 3, 4]);
  expect(listed('0:1000')).toHaveLength(1000);
  expect(() => listed('0:1001')).toThrow(BadRequestError);
});
