import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PutReply, Tidegate } from '@tidegate/client';
import type { StorageReply, UploadTicket } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { ulid } from 'ulid';
import { differenceOf, patternBytes } from '../cells.js';
import { type Cluster, MIB, startCluster } from '../cluster.js';
import type { PlainClient } from '../plain-client.js';
import { openUpload, plainStreamedGet, plainUpload, sendChunks } from '../upload.js';

const ARRAY_BYTES = 256 * MIB;
const ABANDONED_BYTES = 4 * MIB;
/** An upload that is not committed vanishes after 30 s and a second for every 4 MB. */
const ABANDONED_MS = 30_000 + ABANDONED_BYTES / 4000;

let cluster: Cluster;
let sdk: Tidegate;
let plain: PlainClient;
let usedBefore: number;
let abandoned: UploadTicket[];
let openedAt: number;

async function usedBytes(): Promise<number> {
  const { services } = (await plain.control('tide.v1.storage', {})).json<StorageReply>();
  expect(services).toHaveLength(2);
  return services.reduce((sum, { memory }) => sum + memory.usedBytes, 0);
}

beforeAll(async () => {
  cluster = await startCluster({ raw: 2, memory: 400 * MIB });
  [sdk, plain] = await Promise.all([cluster.sdk(), cluster.plain()]);
  await sdk.declare({ name: 'abandoned', dtype: 'uint8', shape: [ABANDONED_BYTES] });
  usedBefore = await usedBytes();
  openedAt = performance.now();
  abandoned = await Promise.all(
    [0, 1, 2].map((step) => openUpload(plain, { variable: 'abandoned', step, bytes: ABANDONED_BYTES })),
  );
  const half = patternBytes(ABANDONED_BYTES, 1);
  const [, second, third] = abandoned;
  if (second) await sendChunks(plain, second, half, ABANDONED_BYTES / 2);
  if (third) await sendChunks(plain, third, half);
});
afterAll(() => cluster?.stop());

test('an upload that is open holds its room', async () => {
  expect((await usedBytes()) - usedBefore).toBeGreaterThanOrEqual(3 * ABANDONED_BYTES);
  for (const { expiresAt, subject, chunkBytes, window } of abandoned) {
    const leftMs = Date.parse(expiresAt) - Date.now();
    expect(leftMs).toBeGreaterThan(10_000);
    expect(leftMs).toBeLessThanOrEqual(ABANDONED_MS);
    expect(subject).toMatch(/^tide\.v1\.raw\.[\w-]+\.upload\.[\w-]+$/);
    expect(chunkBytes).toBeGreaterThanOrEqual(65_536);
    expect(window).toBeGreaterThanOrEqual(1);
  }
  // Chunks without a commit are not visible.
  const query = await plain.control('tide.v1.query', { variable: 'abandoned', step: 2 });
  expect(query.json()).toMatchObject({ covered: false, pieces: [] });
});

describe('a 256 MiB array', () => {
  const shape = [128, 512, 512];
  const data = patternBytes(ARRAY_BYTES, 42);
  beforeAll(async () => {
    await sdk.declare({ name: 'big', dtype: 'float64', shape });
  });

  test('goes in and comes out through the SDK', async () => {
    const progress: number[] = [];
    const reply = await sdk.put({ variable: 'big', step: 0, data, onProgress: (sent) => progress.push(sent) });
    expect(reply).toMatchObject({ bytes: ARRAY_BYTES, box: '0:128,0:512,0:512' });
    expect(progress.at(-1)).toBe(ARRAY_BYTES);
    const array = await sdk.get({ variable: 'big', step: 0 });
    expect(differenceOf(array.bytes, data)).toBeUndefined();
    // A thin slice of it is no transfer of the whole.
    const start = performance.now();
    const slice = await sdk.get({ variable: 'big', step: 0, box: '0:128,17:18,100:200' });
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(slice.bytes).toHaveLength(128 * 100 * 8);
    const whole = new Float64Array(data.buffer);
    expect(slice.data[0]).toBe(whole[17 * 512 + 100]);
    await sdk.delete({ variable: 'big', steps: 0 });
  }, 60_000);

  test('goes in and comes out through a plain NATS client', async () => {
    const digest = `sha256:${createHash('sha256').update(data).digest('hex')}`;
    const ticket = await plain.control('tide.v1.put.open', { variable: 'big', step: 1, bytes: ARRAY_BYTES, digest });
    await sendChunks(plain, ticket.json<UploadTicket>(), data);
    const committed = await plain.request(ticket.json<UploadTicket>().subject, '', { 'Tide-Commit': 'true' });
    expect(committed.json()).toMatchObject({ variable: 'big', step: 1, bytes: ARRAY_BYTES, digest });
    // Lost on its way, the commit is asked again and answered the same.
    const again = await plain.request(ticket.json<UploadTicket>().subject, '', { 'Tide-Commit': 'true' });
    expect(again.json<PutReply>().id).toBe(committed.json<PutReply>().id);
    const { bytes, messages } = await plainStreamedGet(plain, { 'Tide-Variable': 'big', 'Tide-Step': 1 });
    expect(differenceOf(bytes, data)).toBeUndefined();
    expect(messages).toBeGreaterThan(30);
    const refused = await plain.request('tide.v1.get', '', { 'Tide-Variable': 'big', 'Tide-Step': 1 });
    expect(refused.status).toBe(413);
    const { limitBytes } = refused.json<{ limitBytes: number }>();
    expect(limitBytes).toBeGreaterThan(MIB);
    expect(limitBytes).toBeLessThanOrEqual(plain.connection.info?.max_payload ?? 0);
    await plain.control('tide.v1.delete', { variable: 'big', steps: 1 });
  }, 60_000);

  test('a digest that does not fit is refused at the commit, and nothing stays', async () => {
    const part = patternBytes(8 * MIB, 3);
    const digest = `sha256:${'0'.repeat(64)}`;
    const opened = await plain.control('tide.v1.put.open', {
      variable: 'big',
      step: 2,
      box: '0:4,0:512,0:512',
      bytes: part.length,
      digest,
    });
    await sendChunks(plain, opened.json<UploadTicket>(), part);
    const reply = await plain.request(opened.json<UploadTicket>().subject, '', { 'Tide-Commit': 'true' });
    expect(reply.status).toBe(400);
    const query = await plain.control('tide.v1.query', { variable: 'big', step: 2 });
    expect(query.json()).toMatchObject({ covered: false, pieces: [] });
  });
});

describe('a put repeated with its id is stored once', () => {
  const shape = [1024];
  const data = patternBytes(1024, 9);
  let raws: readonly string[];
  beforeAll(async () => {
    await sdk.declare({ name: 'once', dtype: 'uint8', shape, window: 100 });
    raws = (await sdk.storage()).services.map(({ id }) => id);
  });

  const headers = (step: number, id: string) => ({ 'Tide-Variable': 'once', 'Tide-Step': step, 'Tide-Id': id });
  async function putAt(raw: string, step: number, id: string): Promise<PutReply> {
    const reply = await plain.request(`tide.v1.raw.${raw}.put`, data, headers(step, id));
    expect(reply.status).toBe(0);
    return reply.json<PutReply>();
  }
  async function expectOnce(
    step: number,
    id: string,
    replies: readonly PutReply[],
    usedBeforePut: number,
  ): Promise<void> {
    for (const reply of replies) {
      expect(reply).toMatchObject({ id, step, bytes: 1024, epoch: 0, rawService: replies[0]?.rawService });
    }
    const query = await sdk.query({ variable: 'once', step });
    expect(query.pieces.map((piece) => piece.id)).toEqual([id]);
    expect(query.pieces[0]?.rawService).toBe(replies[0]?.rawService);
    const steps = await sdk.listSteps({ variable: 'once', after: step - 1 });
    expect(steps).toEqual([expect.objectContaining({ step, partitions: 1, bytes: 1024 })]);
    expect((await usedBytes()) - usedBeforePut).toBe(1024);
    expect(differenceOf((await sdk.get({ variable: 'once', step })).bytes, data)).toBeUndefined();
  }

  test('at the same raw-service', async () => {
    const used = await usedBytes();
    const id = ulid();
    const replies: PutReply[] = [];
    for (let turn = 0; turn < 3; turn++) replies.push(await putAt(raws[0] ?? '', 0, id));
    await expectOnce(0, id, replies, used);
  });

  test('at another raw-service', async () => {
    const used = await usedBytes();
    const id = ulid();
    const replies: PutReply[] = [];
    for (const at of [0, 1, 0, 1]) replies.push(await putAt(raws[at] ?? '', 1, id));
    await expectOnce(1, id, replies, used);
  });

  test.each([2, 3, 4, 5, 6, 7])('at both at once, 16 times (step %i)', async (step) => {
    const used = await usedBytes();
    const id = ulid();
    const replies = await Promise.all(Array.from({ length: 16 }, (_, at) => putAt(raws[at % 2] ?? '', step, id)));
    await expectOnce(step, id, replies, used);
  });

  test('through the SDK, again and again', async () => {
    const used = await usedBytes();
    const id = ulid();
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => sdk.put({ variable: 'once', step: 8, data, id })),
    );
    await expectOnce(8, id, replies, used);
  });

  test('as an upload and as a put, one after the other and at once', async () => {
    for (const [step, atOnce] of [
      [9, false],
      [10, true],
    ] as const) {
      const used = await usedBytes();
      const id = ulid();
      const ways = [
        () => plainUpload(plain, { variable: 'once', step, id }, data),
        () => putAt(raws[0] ?? '', step, id),
        () => putAt(raws[1] ?? '', step, id),
        () => plainUpload(plain, { variable: 'once', step, id }, data),
      ];
      const replies: PutReply[] = [];
      if (atOnce) replies.push(...(await Promise.all(ways.map((way) => way()))));
      else for (const way of ways) replies.push(await way());
      await expectOnce(step, id, replies, used);
    }
  });

  test('another put with an id that stands is CONFLICT, and changes nothing', async () => {
    const used = await usedBytes();
    const id = ulid();
    const first = await putAt(raws[0] ?? '', 11, id);
    const others = [
      { raw: raws[0], headers: headers(12, id), payload: data },
      { raw: raws[0], headers: { ...headers(11, id), 'Tide-Box': '0:512' }, payload: data.subarray(0, 512) },
      { raw: raws[1], headers: { ...headers(11, id), 'Tide-Box': '0:512' }, payload: data.subarray(0, 512) },
    ];
    for (const { raw, headers: own, payload } of others) {
      const reply = await plain.request(`tide.v1.raw.${raw}.put`, payload, own);
      expect(reply.status).toBe(409);
      expect(reply.json()).toMatchObject({
        code: 'CONFLICT',
        retryable: false,
        standing: { variable: 'once', run: 'default', step: 11, box: '0:1024', bytes: 1024 },
      });
    }
    await expectOnce(11, id, [first], used);
    expect(await sdk.query({ variable: 'once', step: 12 })).toMatchObject({ covered: false, pieces: [] });
  });

  test('and its deletion frees the room once', async () => {
    await sdk.delete({ variable: 'once', steps: '0:100' });
    expect(await sdk.listSteps({ variable: 'once' })).toEqual([]);
  });
});

test('an upload that was abandoned, empty, half-way or before its commit, frees its room', async () => {
  const used = await until(
    async () => {
      const now = await usedBytes();
      return now === usedBefore ? now : undefined;
    },
    { what: 'the room of the uploads to be free', timeoutMs: ABANDONED_MS + 3_000 - (performance.now() - openedAt) },
  );
  expect(used).toBe(usedBefore);
  expect(performance.now() - openedAt).toBeGreaterThan(29_000);
  for (const { subject } of abandoned) {
    expect((await plain.request(subject, '', { 'Tide-Commit': 'true' })).json()).toMatchObject({ code: 'NOT_FOUND' });
  }
}, 60_000);
