import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Subscribed, subscribe } from '@tidegate/bus';
import { KernelPool } from '@tidegate/kernels/pool';
import type { CheckDefinition } from '@tidegate/protocol';
import { measure } from '../measure.js';
import { planStep } from '../plan-step.js';
import { ComputingRaw } from './computing-raw.js';
import { FakeStaging } from './fake-staging.js';

let staging: FakeStaging;
let pool: KernelPool;
let raws: ComputingRaw;
let served: Subscribed;
const { signal } = new AbortController();

beforeAll(async () => {
  staging = await FakeStaging.start();
  pool = await KernelPool.open({ maxWorkers: 1 });
  raws = new ComputingRaw({
    staging,
    pool,
    field:
      () =>
      ([x = 0]) =>
        x,
    raws: ['raw-a'],
  });
  staging.declare('T', [8]);
  staging.declare('mesh', [8], 'bytes');
  staging.stage({ box: '0:6' });
  staging.stage({ box: '6:8' });
  served = subscribe(staging.bus, 'outside.answer', () => ({ data: new TextEncoder().encode('[1,2]') }));
});
afterAll(async () => {
  await served.stop();
  await staging.end();
  await pool.stop();
});

async function run(checks: Readonly<Record<string, CheckDefinition>>, readsParts: boolean, variable = 'T') {
  const at = staging.at(variable, 1);
  const planned = await planStep(staging, at, signal);
  if (!planned.covered) throw new Error('not covered');
  return measure(staging, { at, plan: planned.plan, checks, readsParts, previousStep: undefined, signal });
}

it('asks nobody where there are no checks, and tells the pieces where they are read', async () => {
  const { values, failures, parts } = await run({}, true);
  expect([values.size, failures.size, raws.requests.length]).toEqual([0, 0, 0]);
  expect(parts).toEqual([
    { box: '0:6', bytes: 48, values: new Map() },
    { box: '6:8', bytes: 16, values: new Map() },
  ]);
  expect((await run({}, false)).parts).toEqual({ unknown: 'no expression reads them' });
});

it('tells the bytes of whole objects where the variable is opaque', async () => {
  expect((await run({}, true, 'mesh')).parts).toMatchObject([{ bytes: 48 }, { bytes: 16 }]);
});

it('has kernels and responders work on one step', async () => {
  const { values, failures, parts } = await run(
    {
      sum: { reduce: 'sum' },
      ext: { call: { subject: 'outside.answer', timeoutMs: 1000 } },
      nobody: { call: { subject: 'outside.nobody', timeoutMs: 1000 } },
    },
    false,
  );
  expect(Object.fromEntries(values)).toEqual({ sum: 28, ext: [1, 2] });
  expect([...failures.keys()]).toEqual(['nobody']);
  expect(parts).toMatchObject([{ values: new Map([['sum', 15]]) }, { values: new Map([['sum', 13]]) }]);
});
