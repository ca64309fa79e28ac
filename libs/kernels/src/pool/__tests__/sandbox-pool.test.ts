import { createHash } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { boxOfShape } from '@tidegate/geometry';
import { buildModule, CODE } from '../../__tests__/wasm-builder.js';
import { DELAY_POLICY } from '../queue-delay.js';
import { SandboxPool } from '../sandbox-pool.js';

const wasm = buildModule({ functions: { first: { code: CODE.first }, loop: { code: CODE.loop } } });
const digest = `sha256:${createHash('sha256').update(wasm).digest('hex')}`;
const piece = boxOfShape([2]);
const bytes = new Uint8Array(Float64Array.of(4, 5).buffer);

let now = 0;
let pool: SandboxPool | undefined;
afterEach(async () => {
  await pool?.stop();
  pool = undefined;
});

function open(maxWorkers: number, maxQueued = 8): SandboxPool {
  pool = new SandboxPool({ maxWorkers, maxQueued, now: () => now });
  return pool;
}

function call(name: string, ms = 1000) {
  return {
    ms,
    request: { wasm, digest, name, pages: 16, dtype: 'float64', piece, data: { box: piece, bytes }, capacity: 4 },
  } as const;
}

test('no worker is started before the first kernel; then one more than is needed stands by', async () => {
  const sandboxes = open(2);
  expect(sandboxes.workers).toBe(0);
  expect(await sandboxes.call(call('first'), undefined)).toMatchObject({ 0: 4, length: 1 });
  const both = [sandboxes.call(call('first'), undefined), sandboxes.call(call('first'), undefined)];
  expect(await Promise.all(both)).toHaveLength(2);
  expect(sandboxes.workers).toBeLessThanOrEqual(3);
  expect(sandboxes.terminated).toBe(0);
});

test('a kernel that takes too long ends with its worker, and others do not wait for it', async () => {
  const sandboxes = open(1);
  const endless = sandboxes.call(call('loop', 30), undefined);
  const next = sandboxes.call(call('first'), undefined);
  expect(await endless).toEqual({ failure: 'the kernel ran longer than 30 ms' });
  expect(await next).toMatchObject({ 0: 4 });
  expect(sandboxes.terminated).toBe(1);
});

test('workers that are idle for long go, but for the spare', async () => {
  now = 0;
  const sandboxes = open(3);
  await Promise.all([1, 2, 3].map(() => sandboxes.call(call('first'), undefined)));
  sandboxes.shrink();
  const before = sandboxes.workers;
  now = DELAY_POLICY.idleMs + 1;
  sandboxes.shrink();
  expect(sandboxes.workers).toBeLessThanOrEqual(before);
  expect(sandboxes.workers).toBeGreaterThanOrEqual(1);
  expect(await sandboxes.call(call('first'), undefined)).toMatchObject({ 0: 4 });
});

test('more calls than may wait are busy; those that wait end with the pool', async () => {
  const sandboxes = open(1, 1);
  const waiting = sandboxes.call(call('loop', 60_000), undefined);
  await expect(sandboxes.call(call('first'), undefined)).rejects.toMatchObject({ code: 'BUSY' });
  const outcome = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await sandboxes.stop();
  await outcome;
  await expect(sandboxes.call(call('first'), undefined)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('cells that cannot be read are an error of the call, not of the kernel', async () => {
  const sandboxes = open(1);
  const { request, ms } = call('first');
  const gone = { box: piece, file: { path: '/nowhere/at/all', offset: 0, bytes: 16 } };
  await expect(sandboxes.call({ request: { ...request, data: gone }, ms }, undefined)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  expect(await sandboxes.call({ request, ms }, undefined)).toMatchObject({ 0: 4 });
  expect(sandboxes.terminated).toBe(0);
});
