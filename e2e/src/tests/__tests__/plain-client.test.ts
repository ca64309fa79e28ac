import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encode } from '@msgpack/msgpack';
import { type Cluster, startCluster } from '../cluster.js';
import type { PlainClient, PlainReply } from '../plain-client.js';

/** Everything here is done with the `nats` package alone: no line of Tidegate runs in this client. */
let cluster: Cluster;
let plain: PlainClient;
const T = { 'Tide-Variable': 'T' };
const ones = new Uint8Array(new Float32Array(16).fill(1).buffer);

beforeAll(async () => {
  cluster = await startCluster({ raw: 2 });
  plain = await cluster.plain();
  await plain.control('tide.v1.variable.declare', { name: 'T', dtype: 'float32', shape: [4, 4] });
});
afterAll(() => cluster?.stop());

test('put in two boxes, get a box across both', async () => {
  for (const [box, value] of [
    ['0:4,0:2', 1],
    ['0:4,2:4', 2],
  ] as const) {
    const payload = new Uint8Array(new Float32Array(8).fill(value).buffer);
    expect((await plain.request('tide.v1.put', payload, { ...T, 'Tide-Step': 0, 'Tide-Box': box })).status).toBe(0);
  }
  const reply = await plain.request('tide.v1.get', '', { ...T, 'Tide-Step': 0, 'Tide-Box': '1:3,1:3' });
  expect([...new Float32Array(reply.data.buffer)]).toEqual([1, 2, 1, 2]);
  expect(reply.header('Tide-Shape')).toBe('[2,2]');
  expect(reply.header('Tide-Box')).toBe('1:3,1:3');
});

test('latest and next:<n> look only at covered steps', async () => {
  await plain.request('tide.v1.put', ones, { ...T, 'Tide-Step': 3 });
  await plain.request('tide.v1.put', ones, { ...T, 'Tide-Step': 7 });
  await plain.request('tide.v1.put', ones.subarray(0, 32), { ...T, 'Tide-Step': 9, 'Tide-Box': '0:2,0:4' });
  const stepOf = async (step: string, box?: string) =>
    (await plain.request('tide.v1.get', '', { ...T, 'Tide-Step': step, ...(box && { 'Tide-Box': box }) })).header(
      'Tide-Step',
    );
  expect(await stepOf('latest')).toBe('7');
  expect(await stepOf('latest', '0:2,0:4')).toBe('9');
  expect(await stepOf('next:0')).toBe('3');
  expect(await stepOf('next:3')).toBe('7');
  expect(await stepOf('next:7', '1:2,1:2')).toBe('9');
  const none = await plain.request('tide.v1.get', '', { ...T, 'Tide-Step': 'next:7' });
  expect(none.json()).toMatchObject({ code: 'NOT_COVERED' });
});

test('boxes in both forms, runs apart', async () => {
  const query = (body: object) => plain.control('tide.v1.query', { variable: 'T', step: 3, ...body });
  const text = (await query({ box: '0:2,0:2' })).json();
  const corners = (await query({ box: { lower: [0, 0], upper: [2, 2] } })).json();
  expect(corners).toEqual(text);
  expect(text).toMatchObject({
    covered: true,
    epoch: 0,
    missing: [],
    missingCount: 0,
    pieces: [{ box: '0:2,0:2', bytes: 16, tier: 'memory' }],
  });
  expect((await query({ run: 'other' })).json()).toMatchObject({ covered: false, missing: ['0:4,0:4'] });
});

test('pin and unpin show in the steps', async () => {
  const pinned = async (): Promise<boolean | undefined> => {
    const { steps } = (await plain.control('tide.v1.steps', { variable: 'T', after: 2 })).json<{
      steps: { pinned: boolean }[];
    }>();
    return steps[0]?.pinned;
  };
  expect((await plain.control('tide.v1.pin', { variable: 'T', steps: [3], reason: 'look at it' })).status).toBe(0);
  expect(await pinned()).toBe(true);
  expect((await plain.control('tide.v1.pin', { variable: 'T', steps: [3] })).status).toBe(0);
  expect((await plain.control('tide.v1.unpin', { variable: 'T', steps: '0:10' })).status).toBe(0);
  expect(await pinned()).toBe(false);
});

test('a window does not take a pinned step from memory', async () => {
  await plain.control('tide.v1.variable.declare', {
    name: 'P',
    dtype: 'float32',
    shape: [4, 4],
    window: 2,
    onEvict: 'drop',
  });
  await plain.request('tide.v1.put', ones, { 'Tide-Variable': 'P', 'Tide-Step': 0 });
  await plain.control('tide.v1.pin', { variable: 'P', steps: 0 });
  for (let step = 1; step < 8; step++)
    await plain.request('tide.v1.put', ones, { 'Tide-Variable': 'P', 'Tide-Step': step });
  const reply = await plain.request('tide.v1.get', '', { 'Tide-Variable': 'P', 'Tide-Step': 0 });
  expect(reply.status).toBe(0);
  expect([...reply.data]).toEqual([...ones]);
});

test('delete of the partitions inside a box leaves the others', async () => {
  const deleted = await plain.control('tide.v1.delete', { variable: 'T', steps: 0, box: '0:4,0:3' });
  expect(deleted.json()).toEqual({ partitions: 1, bytes: 32 });
  const query = await plain.control('tide.v1.query', { variable: 'T', step: 0 });
  expect(query.json()).toMatchObject({ covered: false, missing: ['0:4,0:2'], missingCount: 1 });
});

test('bodies in MessagePack are answered in MessagePack, errors too', async () => {
  const steps = await plain.controlMsgpack('tide.v1.steps', { variable: 'T', after: 5 });
  expect(steps.msgpack<{ steps: { step: number }[] }>().steps.map(({ step }) => step)).toEqual([7, 9]);
  const refused = await plain.controlMsgpack('tide.v1.query', { variable: 'T', step: -1 });
  expect(refused.status).toBe(400);
  expect(refused.msgpack()).toMatchObject({ code: 'BAD_REQUEST', field: 'step', retryable: false });
  const list = await plain.request('tide.v1.variable.list', encode({}));
  expect(list.msgpack<{ variables: unknown[] }>().variables).toHaveLength(2);
  // An empty body is {} and is answered in JSON.
  expect((await plain.request('tide.v1.variable.list', '')).json()).toEqual(list.msgpack());
});

test('Accept: application/msgpack turns the control part of data replies', async () => {
  const accept = { Accept: 'application/msgpack' };
  const put = await plain.request('tide.v1.put', ones, { ...T, 'Tide-Step': 20, ...accept });
  expect(put.msgpack()).toMatchObject({ variable: 'T', step: 20, bytes: 64, box: '0:4,0:4' });
  const refused = (reply: PlainReply) => reply.msgpack();
  expect(refused(await plain.request('tide.v1.get', '', { ...T, 'Tide-Step': 21, ...accept }))).toMatchObject({
    code: 'NOT_COVERED',
    missing: ['0:4,0:4'],
  });
  expect(refused(await plain.request('tide.v1.put', '', { ...T, 'Tide-Step': 21, ...accept }))).toMatchObject({
    code: 'SIZE_MISMATCH',
    expectedBytes: 64,
    actualBytes: 0,
  });
});

test('a put with everything is answered with exactly the fields of the contract', async () => {
  const id = '01JA0000000000000000000ABC';
  const wrong = `sha256:${'5'.repeat(64)}`;
  const right = `sha256:${createHash('sha256').update(ones).digest('hex')}`;
  const headers = {
    ...T,
    'Tide-Step': 30,
    'Tide-Box': '0:4,0:4',
    'Tide-Run': 'full',
    'Tide-Id': id,
    'Tide-Wait': 100,
    'Tide-Annotation': '{"sensor":"s1","software":["pkg:npm/left-pad@1.3.0"]}',
    'Tide-Derived-From': '[{"variable":"T","step":3,"box":"0:2,0:2"}]',
    'Tide-Activity': 'activity-7',
  };
  expect((await plain.request('tide.v1.put', ones, { ...headers, 'Tide-Digest': wrong })).status).toBe(400);
  const reply = await plain.request('tide.v1.put', ones, { ...headers, 'Tide-Digest': right });
  expect(reply.json()).toEqual({
    id,
    run: 'full',
    variable: 'T',
    step: 30,
    epoch: 0,
    box: '0:4,0:4',
    bytes: 64,
    digest: right,
    rawService: expect.any(String),
    storage: { state: 'ok', freeBytes: expect.any(Number) },
  });
});

test('a put without an id gets a ULID', async () => {
  const ids = new Set<string>();
  for (let turn = 0; turn < 5; turn++) {
    const { id } = (await plain.request('tide.v1.put', ones, { ...T, 'Tide-Step': 31 })).json<{ id: string }>();
    expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    ids.add(id);
  }
  expect(ids.size).toBe(5);
});

test('$SRV.PING, INFO and STATS know the services and count their requests', async () => {
  const client = plain.connection.services.client();
  const names: string[] = [];
  for await (const { name, type } of await client.ping()) {
    expect(type).toBe('io.nats.micro.v1.ping_response');
    names.push(name);
  }
  expect(names.filter((name) => name === 'tidegate-raw')).toHaveLength(2);
  let puts = 0;
  for await (const { endpoints } of await client.stats('tidegate-raw')) {
    puts += endpoints?.find(({ subject }) => subject === 'tide.v1.put')?.num_requests ?? 0;
  }
  expect(puts).toBeGreaterThan(10);
});
