import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import { until } from '@tidegate/testing';
import { ulid } from 'ulid';
import { differenceOf, patternBytes } from './cells.js';
import { type Cluster, MIB, startCluster } from './cluster.js';
import type { PlainClient } from './plain-client.js';
import { plainStreamedGet, plainUpload } from './upload.js';

const SHAPE = [32, 48];
const BYTES = 32 * 48 * 4;
const LEFT = '0:32,0:20';
const RIGHT = '0:32,20:48';

export interface ConformanceOptions {
  readonly title: string;
  /** Path of the nats-server; default: the one that `tidegate up` finds. */
  readonly natsServer?: string;
  /** What the server says that it is. */
  readonly version: RegExp;
}

/** Registers the tests of the wire contract's basics, from the SDK and from a plain client, on one nats-server. */
export function conformance({ title, natsServer, version }: ConformanceOptions): void {
  describe(title, () => {
    let cluster: Cluster;
    let sdk: Tidegate;
    let plain: PlainClient;
    beforeAll(async () => {
      cluster = await startCluster({
        raw: 2,
        meta: 2,
        memory: 64 * MIB,
        ...(natsServer !== undefined && { natsServer }),
      });
      [sdk, plain] = await Promise.all([cluster.sdk(), cluster.plain()]);
    });
    afterAll(async () => {
      expect(await cluster?.stop()).toEqual({ code: 0, signal: null });
    });

    test('it is the server that was asked for', () => {
      expect(plain.connection.info?.version).toMatch(version);
      expect(plain.connection.info?.max_payload).toBeGreaterThanOrEqual(MIB);
    });

    test('declare, get and list variables', async () => {
      const record = await sdk.declare({ name: 'T', dtype: 'float32', shape: SHAPE });
      expect(record).toEqual({
        name: 'T',
        dtype: 'float32',
        shape: SHAPE,
        window: 10,
        onEvict: 'spill',
        durability: 'memory',
        annotation: 'optional',
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        shards: 16,
      });
      expect(await sdk.declare({ name: 'T', dtype: 'float32', shape: SHAPE })).toEqual(record);
      expect((await plain.control('tide.v1.variable.get', { name: 'T' })).json()).toEqual(record);
      expect((await plain.control('tide.v1.variable.list', {})).json()).toEqual({ variables: [record] });
      await expect(sdk.declare({ name: 'T', dtype: 'float64', shape: SHAPE })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
    });

    test('put and get, from one client to the other', async () => {
      const data = patternBytes(BYTES, 1);
      await sdk.put({ variable: 'T', step: 0, data });
      const reply = await plain.request('tide.v1.get', '', { 'Tide-Variable': 'T', 'Tide-Step': 0 });
      expect(differenceOf(reply.data, data)).toBeUndefined();
      expect(
        ['Tide-Dtype', 'Tide-Shape', 'Tide-Step', 'Tide-Epoch', 'Tide-Box'].map((name) => reply.header(name)),
      ).toEqual(['float32', '[32,48]', '0', '0', '0:32,0:48']);
      const id = ulid();
      const put = await plain.request('tide.v1.put', data, { 'Tide-Variable': 'T', 'Tide-Step': 1, 'Tide-Id': id });
      expect(put.json()).toEqual({
        id,
        run: 'default',
        variable: 'T',
        step: 1,
        epoch: 0,
        box: '0:32,0:48',
        bytes: BYTES,
        rawService: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
        storage: { state: 'ok', freeBytes: expect.any(Number) },
      });
      expect(differenceOf((await sdk.get({ variable: 'T', step: 1 })).bytes, data)).toBeUndefined();
    });

    test('query, steps and delete', async () => {
      await sdk.put({ variable: 'T', step: 2, box: LEFT, data: patternBytes(32 * 20 * 4, 2) });
      const query = await plain.control('tide.v1.query', { variable: 'T', step: 2 });
      expect(query.json()).toMatchObject({ covered: false, missing: [RIGHT], missingCount: 1 });
      const steps = await plain.control('tide.v1.steps', { variable: 'T' });
      expect(steps.json()).toEqual({
        steps: [
          { step: 0, covered: true, partitions: 1, bytes: BYTES, tier: 'memory', pinned: false },
          { step: 1, covered: true, partitions: 1, bytes: BYTES, tier: 'memory', pinned: false },
          { step: 2, covered: false, partitions: 1, bytes: 32 * 20 * 4, tier: 'memory', pinned: false },
        ],
      });
      const deleted = await plain.control('tide.v1.delete', { variable: 'T', steps: '0:2' });
      expect(deleted.json()).toEqual({ partitions: 2, bytes: 2 * BYTES });
      expect((await plain.control('tide.v1.delete', { variable: 'T', steps: '0:2' })).json()).toEqual({
        partitions: 0,
        bytes: 0,
      });
      await expect(sdk.get({ variable: 'T', step: 0 })).rejects.toMatchObject({ code: 'NOT_COVERED' });
    });

    test('a waiting reader is woken, and a wait that ends is TIMEOUT', async () => {
      const waiting = plain.request('tide.v1.get', '', { 'Tide-Variable': 'T', 'Tide-Step': 2, 'Tide-Wait': 10_000 });
      const timedOut = await plain.request('tide.v1.get', '', {
        'Tide-Variable': 'T',
        'Tide-Step': 2,
        'Tide-Wait': 50,
      });
      expect(timedOut.json()).toMatchObject({ code: 'TIMEOUT', missing: [RIGHT], missingCount: 1 });
      await sdk.put({ variable: 'T', step: 2, box: RIGHT, data: patternBytes(32 * 28 * 4, 3) });
      expect((await waiting).data).toHaveLength(BYTES);
    });

    test('an upload, and a get in several messages', async () => {
      await sdk.declare({ name: 'large', dtype: 'uint8', shape: [12 * MIB] });
      const data = patternBytes(12 * MIB, 4);
      const reply = await plainUpload(plain, { variable: 'large', step: 0 }, data);
      expect(reply).toMatchObject({ variable: 'large', bytes: 12 * MIB });
      const { bytes, messages } = await plainStreamedGet(plain, { 'Tide-Variable': 'large', 'Tide-Step': 0 });
      expect(differenceOf(bytes, data)).toBeUndefined();
      expect(messages).toBeGreaterThan(1);
      expect(differenceOf((await sdk.get({ variable: 'large', step: 0 })).bytes, data)).toBeUndefined();
    });

    test('the window keeps its steps in memory and the rest on disk', async () => {
      await sdk.declare({ name: 'kept', dtype: 'float32', shape: SHAPE, window: 3 });
      for (let step = 0; step < 12; step++) await sdk.put({ variable: 'kept', step, data: patternBytes(BYTES, step) });
      const steps = await until(
        async () => {
          const listed = await sdk.listSteps({ variable: 'kept' });
          return listed.filter(({ tier }) => tier === 'memory').length === 3 && listed;
        },
        { what: 'three steps in memory' },
      );
      expect(steps.filter(({ tier }) => tier === 'memory').map(({ step }) => step)).toEqual([9, 10, 11]);
      for (let step = 0; step < 12; step++) {
        expect(
          differenceOf((await sdk.get({ variable: 'kept', step })).bytes, patternBytes(BYTES, step)),
        ).toBeUndefined();
      }
    });

    test('storage tells both raw-services and the streams', async () => {
      const storage = (await plain.control('tide.v1.storage', {})).json();
      expect(storage).toEqual({
        state: 'ok',
        services: [0, 1].map(() => ({
          id: expect.any(String),
          state: 'ok',
          memory: { usedBytes: expect.any(Number), limitBytes: 64 * MIB },
          disk: { usedBytes: expect.any(Number), limitBytes: expect.any(Number) },
        })),
        streams: ['EVENTS', 'POINTERS', 'DECISIONS', 'TASKS', 'TASKS_DEAD', 'STEERING'].map((name) => ({
          name: `TIDE_${name}`,
          messages: expect.any(Number),
          usedBytes: expect.any(Number),
          limitBytes: expect.any(Number),
        })),
      });
    });

    test('a rollback is an event, and begins the next epoch', async () => {
      await sdk.put({ variable: 'T', step: 3, run: 'r', data: patternBytes(BYTES, 5) });
      expect(await sdk.rollback({ run: 'r', toStep: 2 })).toEqual({ epoch: 1 });
      await expect(sdk.get({ variable: 'T', step: 3, run: 'r' })).rejects.toMatchObject({ code: 'NOT_COVERED' });
      expect(await sdk.put({ variable: 'T', step: 3, run: 'r', data: patternBytes(BYTES, 6) })).toMatchObject({
        epoch: 1,
      });
      const manager = await plain.connection.jetstreamManager();
      const message = await manager.streams.getMessage('TIDE_EVENTS', { last_by_subj: 'tide.v1.event.run.r' });
      expect(message.json()).toMatchObject({ run: 'r', epoch: 1, toStep: 2 });
    });

    test('the services are in the listing of the services framework', async () => {
      const names: string[] = [];
      for await (const info of await plain.connection.services.client().info()) {
        names.push(info.name, ...info.endpoints.map(({ subject }) => subject));
      }
      expect(names).toEqual(expect.arrayContaining(['tidegate-raw', 'tide.v1.put', 'tide.v1.get', 'tide.v1.query']));
    });
  });
}
