import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KernelPool } from '@tidegate/kernels/pool';
import { BadRequestError, BusyError, type CheckDefinition, NotFoundError, UnavailableError } from '@tidegate/protocol';
import type { Part } from '../../semantics/index.js';
import { type KernelResult, runKernelChecks } from '../kernel-checks.js';
import { planStep } from '../plan-step.js';
import { ComputingRaw } from './computing-raw.js';
import { FakeStaging } from './fake-staging.js';

let staging: FakeStaging;
let pool: KernelPool;
let raws: ComputingRaw;
const { signal } = new AbortController();
const SHAPE = [16, 12];

/** A field with a NaN, which differs from step to step. */
const field = (step: number) => (coordinates: readonly number[]) => {
  const [x = 0, y = 0] = coordinates;
  return x === 3 && y === 5 ? Number.NaN : step * 100 + x * 12 + y;
};

beforeAll(async () => {
  staging = await FakeStaging.start();
  staging.declare('T', SHAPE);
  pool = await KernelPool.open({ maxWorkers: 1 });
  raws = new ComputingRaw({ staging, pool, field, raws: ['raw-a', 'raw-b'] });
});
afterAll(async () => {
  await staging.end();
  await pool.stop();
});
beforeEach(() => {
  staging.partitions = [];
  raws.requests = [];
});
afterEach(() => {
  raws.instead = () => undefined;
});

const CHECKS: Readonly<Record<string, CheckDefinition>> = {
  mx: { reduce: 'max' },
  bad: { reduce: 'nan_count' },
  where: { reduce: 'argmin' },
  median: { reduce: 'quantile', q: 0.5 },
};
const PREVIOUS: CheckDefinition = { reduce: 'linf_diff', against: 'previous' };

async function check(
  checks: Readonly<Record<string, CheckDefinition>>,
  { step = 1, box, previousStep }: { step?: number; box?: string; previousStep?: number } = {},
): Promise<KernelResult> {
  const at = staging.at('T', step, box);
  const planned = await planStep(staging, at, signal);
  if (!planned.covered) throw new NotFoundError('not covered');
  return runKernelChecks(staging, { at, plan: planned.plan, checks, previousStep, signal });
}

function stageQuarters(step: number): void {
  for (const box of ['0:8,0:6', '0:8,6:12']) staging.stage({ step, box, raw: 'raw-a' });
  for (const box of ['8:16,0:6', '8:16,6:12']) staging.stage({ step, box, raw: 'raw-b' });
}

it('merges what the raw-services compute, whatever the cut', async () => {
  staging.stage({ step: 1, box: '0:16,0:12' });
  const whole = await check(CHECKS);
  expect(Object.fromEntries(whole.values)).toEqual({ mx: 291, bad: 1, where: [0, 0], median: 196 });
  staging.partitions = [];
  stageQuarters(1);
  const cut = await check(CHECKS);
  expect(cut.values).toEqual(whole.values);
  expect(cut.failures.size).toBe(0);
  const parts = cut.parts as readonly Part[];
  expect(parts.map(({ box, bytes, values }) => [box, bytes, values.get('mx')])).toEqual([
    ['0:8,0:6', 384, 189],
    ['0:8,6:12', 384, 195],
    ['8:16,0:6', 384, 285],
    ['8:16,6:12', 384, 291],
  ]);
});

it('asks each raw-service once a round for all of its pieces', async () => {
  stageQuarters(1);
  await check({ mx: { reduce: 'max' } });
  expect(raws.requests.map(({ pieces }) => pieces.length)).toEqual([2, 2]);
});

describe('against the previous step', () => {
  it('compares cell by cell, also where the step before was cut otherwise', async () => {
    stageQuarters(4);
    for (const box of ['0:16,0:4', '0:16,4:12']) staging.stage({ step: 2, box, raw: 'raw-a' });
    const { values, failures } = await check({ d: PREVIOUS, mx: { reduce: 'max' } }, { step: 4, previousStep: 2 });
    expect(Object.fromEntries(values)).toEqual({ d: 200, mx: 591 });
    expect(failures.size).toBe(0);
  });

  it('fails alone where there was no step before, or its data is gone', async () => {
    stageQuarters(4);
    const first = await check({ d: PREVIOUS, mx: { reduce: 'max' } }, { step: 4 });
    expect(Object.fromEntries(first.failures)).toEqual({ d: 'no step before this one was decided' });
    expect(first.values.get('mx')).toBe(591);
    const gone = await check({ d: PREVIOUS }, { step: 4, previousStep: 3 });
    expect(Object.fromEntries(gone.failures)).toEqual({ d: 'no data of step 3' });
    expect(gone.parts).toHaveLength(4);
    expect(gone.values.size).toBe(0);
  });
});

describe('data that moves', () => {
  it('is found by a fresh plan', async () => {
    const old = staging.stage({ step: 1, box: '0:16,0:12', raw: 'raw-a' });
    raws.instead = ({ id }) => {
      if (id !== old.id) return undefined;
      staging.stage({ step: 1, box: '0:16,0:12', raw: 'raw-b' });
      return { gone: true };
    };
    expect((await check({ mx: { reduce: 'max' } })).values.get('mx')).toBe(291);
  });

  it('is given up after six moves, and at once where nothing is left', async () => {
    staging.stage({ step: 1, box: '0:16,0:12', raw: 'raw-a' });
    raws.instead = () => ({ gone: true });
    const moving = await check(CHECKS);
    expect([...new Set(moving.failures.values())]).toEqual(['the data moved 6 times while it was checked']);
    expect(moving.failures.size).toBe(4);
    expect(raws.requests).toHaveLength(6);
    raws.instead = () => {
      staging.partitions = [];
      return { gone: true };
    };
    const gone = await check({ mx: { reduce: 'max' } });
    expect(Object.fromEntries(gone.failures)).toEqual({ mx: 'no data of step 1 any more' });
    expect(gone.parts).toHaveProperty('unknown');
  });
});

it('makes failures of what a piece cannot be checked for, once and for all', async () => {
  stageQuarters(1);
  raws.instead = ({ box }) => (box === '0:8,0:6' ? { failure: 'the disk is broken' } : undefined);
  const { failures, values } = await check({ mx: { reduce: 'max' } });
  expect(failures.get('mx')).toContain('the disk is broken');
  expect(values.size).toBe(0);
});

it('goes on asking a raw-service that cannot answer now', async () => {
  staging.stage({ step: 1, box: '0:16,0:12', raw: 'raw-a' });
  const errors = [new UnavailableError('starting', 0), new BusyError('too many', 1), new UnavailableError('again', 0)];
  raws.instead = () => {
    const error = errors.pop();
    if (error !== undefined) throw error;
    return undefined;
  };
  expect((await check({ mx: { reduce: 'max' } })).values.get('mx')).toBe(291);
  expect(raws.requests).toHaveLength(4);
});

it('takes a refusal for final', async () => {
  staging.stage({ step: 1, box: '0:16,0:12', raw: 'raw-a' });
  raws.instead = () => {
    throw new BadRequestError('round', 'what round?');
  };
  expect((await check({ mx: { reduce: 'max' } })).failures.get('mx')).toContain('what round?');
  expect(raws.requests).toHaveLength(1);
});

it('ends with its signal', async () => {
  staging.stage({ step: 1, box: '0:16,0:12', raw: 'raw-nobody' });
  const ended = new AbortController();
  const at = staging.at('T', 1);
  const planned = await planStep(staging, at, signal);
  if (!planned.covered) throw new Error('not covered');
  const checks = { mx: { reduce: 'max' } as const };
  const run = runKernelChecks(staging, {
    at,
    plan: planned.plan,
    checks,
    previousStep: undefined,
    signal: ended.signal,
  });
  ended.abort(new Error('the lease is lost'));
  await expect(run).rejects.toThrow('the lease is lost');
});
