import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StorageFullError, type Tidegate } from '@tidegate/client';
import type { StorageReply } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { differenceOf, patternBytes } from '../cells.js';
import { type Cluster, MIB, startCluster } from '../cluster.js';
import type { PlainClient } from '../plain-client.js';
import { filesBelow } from '../segment-files.js';

const MEMORY = 16 * MIB;
const STEP_BYTES = MIB;
let cluster: Cluster;
let sdk: Tidegate;
let plain: PlainClient;
/** Steps that are stored, and pinned. */
let filled = 0;

beforeAll(async () => {
  cluster = await startCluster({ raw: 1, memory: MEMORY });
  [sdk, plain] = await Promise.all([cluster.sdk(), cluster.plain()]);
  await sdk.declare({ name: 'T', dtype: 'uint8', shape: [1024, 1024], window: 1000 });
});
afterAll(() => cluster?.stop());

function put(step: number, waitMs = 0, timeoutMs = 30_000) {
  return plain.request(
    'tide.v1.put',
    patternBytes(STEP_BYTES, step),
    { 'Tide-Variable': 'T', 'Tide-Step': step, ...(waitMs > 0 && { 'Tide-Wait': waitMs }) },
    timeoutMs,
  );
}

async function storage(): Promise<StorageReply> {
  return (await plain.control('tide.v1.storage', {})).json<StorageReply>();
}

async function pin(step: number): Promise<void> {
  expect((await plain.control('tide.v1.pin', { variable: 'T', steps: step, reason: 'kept' })).status).toBe(0);
}

/** Pins each step before it is put: under pressure one that is not pinned may move to disk as soon as it is there. */
async function fill(): Promise<void> {
  for (;;) {
    await pin(filled);
    const reply = await put(filled);
    if (reply.status !== 0) break;
    filled++;
  }
  expect((await plain.control('tide.v1.unpin', { variable: 'T', steps: filled })).status).toBe(0);
}

test('pinned steps fill the memory until a put is STORAGE_FULL, with every field', async () => {
  await fill();
  expect(filled).toBeGreaterThanOrEqual(14);
  expect(filled).toBeLessThanOrEqual(16);
  const refused = await put(filled);
  expect(refused.status).toBe(507);
  expect(refused.header('Nats-Service-Error')).not.toBe('');
  const body = refused.json<Record<string, unknown>>();
  expect(body).toMatchObject({ code: 'STORAGE_FULL', retryable: true, limit: 'memory', limitBytes: MEMORY });
  expect(body['state']).toBe('full');
  expect(body['usedBytes']).toBe(filled * STEP_BYTES);
  expect(body['needBytes']).toBeGreaterThanOrEqual(STEP_BYTES);
  expect(body['retryAfterMs']).toBeGreaterThan(0);
  const failure = await sdk
    .put({ variable: 'T', step: filled, data: patternBytes(STEP_BYTES, filled), waitMs: 0 })
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StorageFullError);
  expect((failure as StorageFullError).storage).toMatchObject({ limit: 'memory', state: 'full', limitBytes: MEMORY });
  expect(await storage()).toMatchObject({ state: 'full', services: [{ state: 'full' }] });
});

test('a refused put leaves nothing: no piece, no room, no file', async () => {
  const [before, files] = [await storage(), await filesBelow(cluster.dataDir)];
  for (let turn = 0; turn < 20; turn++) expect((await put(filled)).status).toBe(507);
  for (let turn = 0; turn < 5; turn++) {
    const opened = await plain.control('tide.v1.put.open', { variable: 'T', step: filled, bytes: STEP_BYTES });
    expect(opened.json()).toMatchObject({ code: 'STORAGE_FULL', limit: 'memory' });
  }
  expect((await storage()).services).toEqual(before.services);
  const payloads = (list: readonly { name: string }[]) =>
    list.map(({ name }) => name).filter((name) => name.includes('disk/'));
  expect(payloads(await filesBelow(cluster.dataDir))).toEqual(payloads(files));
  const query = await plain.control('tide.v1.query', { variable: 'T', step: filled });
  expect(query.json()).toMatchObject({ covered: false, pieces: [], missing: ['0:1024,0:1024'] });
});

test('while it is full, everything but putting goes on', async () => {
  for (let step = 0; step < filled; step++) {
    expect(
      differenceOf((await sdk.get({ variable: 'T', step })).bytes, patternBytes(STEP_BYTES, step)),
    ).toBeUndefined();
  }
  await sdk.declare({ name: 'later', dtype: 'float32', shape: [4] });
  const steps = await sdk.listSteps({ variable: 'T' });
  expect(steps).toHaveLength(filled);
  expect(steps.every(({ tier, pinned, covered }) => tier === 'memory' && pinned && covered)).toBe(true);
});

test('a put that waits ends with STORAGE_FULL when no room appears', async () => {
  const start = performance.now();
  const reply = await put(filled, 500);
  expect(reply.status).toBe(507);
  expect(performance.now() - start).toBeGreaterThanOrEqual(495);
  expect(performance.now() - start).toBeLessThan(2_500);
});

test('a put that waits succeeds when a step is deleted', async () => {
  const waiting = put(filled, 15_000);
  expect((await plain.control('tide.v1.delete', { variable: 'T', steps: [0, 1, 2] })).json()).toEqual({
    partitions: 3,
    bytes: 3 * STEP_BYTES,
  });
  const reply = await waiting;
  expect(reply.status).toBe(0);
  expect(
    differenceOf((await sdk.get({ variable: 'T', step: filled })).bytes, patternBytes(STEP_BYTES, filled)),
  ).toBeUndefined();
  await pin(filled);
  filled++;
});

test('a put that waits succeeds when steps are unpinned: they move to disk and stay readable', async () => {
  await fill();
  const start = performance.now();
  const waiting = put(filled, 15_000);
  const unpinned = [3, 4, 5, 6];
  await plain.control('tide.v1.unpin', { variable: 'T', steps: unpinned });
  expect((await waiting).status).toBe(0);
  expect(performance.now() - start).toBeLessThan(10_000);
  for (const step of [...unpinned, filled]) {
    expect(
      differenceOf((await sdk.get({ variable: 'T', step })).bytes, patternBytes(STEP_BYTES, step)),
    ).toBeUndefined();
  }
  const steps = await sdk.listSteps({ variable: 'T' });
  expect(steps.filter(({ tier }) => tier === 'disk').map(({ step }) => step)).toEqual(
    unpinned.filter((step) => steps.find((entry) => entry.step === step)?.tier === 'disk'),
  );
  expect(steps.find(({ step }) => step === 3)?.tier).toBe('disk');
  expect(steps.filter(({ pinned }) => pinned).every(({ tier }) => tier === 'memory')).toBe(true);
});

test('many puts wait and all get their turn; ingest resumes without a restart', async () => {
  const first = filled + 1;
  const waiting = Array.from({ length: 12 }, (_, at) => put(first + at, 15_000));
  await plain.control('tide.v1.unpin', { variable: 'T', steps: `0:${filled}` });
  const replies = await Promise.all(waiting);
  expect(replies.map(({ status }) => status)).toEqual(waiting.map(() => 0));
  for (let at = 0; at < 12; at++) {
    const { bytes } = await sdk.get({ variable: 'T', step: first + at });
    expect(differenceOf(bytes, patternBytes(STEP_BYTES, first + at))).toBeUndefined();
  }
  await until(async () => (await storage()).state !== 'full', { what: 'the state to leave full' });
});
