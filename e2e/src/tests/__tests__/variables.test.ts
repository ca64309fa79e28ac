import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Tidegate, UnknownVariableError } from '@tidegate/client';
import { ulid } from 'ulid';
import { differenceOf, patternBytes } from '../cells.js';
import { type Cluster, MIB, startCluster } from '../cluster.js';
import type { PlainClient, PlainReply } from '../plain-client.js';

let cluster: Cluster;
let sdk: Tidegate;
let other: Tidegate;
let plain: PlainClient;

beforeAll(async () => {
  cluster = await startCluster({ raw: 2, meta: 2 });
  [sdk, other, plain] = await Promise.all([cluster.sdk(), cluster.sdk(), cluster.plain()]);
});
afterAll(() => cluster?.stop());

describe('variable.delete', () => {
  test('takes the partitions with it, in memory and on disk, and frees their room', async () => {
    await sdk.declare({ name: 'gone', dtype: 'uint8', shape: [64, 64], window: 2 });
    for (let step = 0; step < 8; step++) await sdk.put({ variable: 'gone', step, data: patternBytes(4096, step) });
    await other.get({ variable: 'gone', step: 3 });
    expect((await plain.control('tide.v1.variable.delete', { name: 'gone' })).status).toBe(0);
    for (const client of [sdk, other]) {
      await expect(client.get({ variable: 'gone', step: 3 })).rejects.toBeInstanceOf(UnknownVariableError);
      await expect(client.put({ variable: 'gone', step: 3, data: new Uint8Array(4096) })).rejects.toBeInstanceOf(
        UnknownVariableError,
      );
    }
    expect((await sdk.variables()).map(({ name }) => name)).not.toContain('gone');
    const { services } = await sdk.storage();
    expect(services.map(({ memory, disk }) => memory.usedBytes + disk.usedBytes)).toEqual([0, 0]);
  });

  test('leaves the name free for another declaration, which starts empty', async () => {
    await sdk.declare({ name: 'gone', dtype: 'int16', shape: [10] });
    expect(await other.listSteps({ variable: 'gone' })).toEqual([]);
    await expect(other.get({ variable: 'gone', step: 3 })).rejects.toMatchObject({
      code: 'NOT_COVERED',
      missing: ['0:10'],
    });
    await other.put({ variable: 'gone', step: 3, data: new Int16Array(10).fill(-5) });
    expect([...(await sdk.get({ variable: 'gone', step: 3 })).data]).toEqual(new Array(10).fill(-5));
    await sdk.deleteVariable('gone');
  });

  test('of a variable that a reader waits for ends the wait', async () => {
    await sdk.declare({ name: 'awaited', dtype: 'uint8', shape: [4] });
    const waiting = other
      .get({ variable: 'awaited', step: 0, waitMs: 3_000 })
      .catch((error: { code: string }) => error.code);
    await other.storage();
    await sdk.deleteVariable('awaited');
    expect(['UNKNOWN_VARIABLE', 'TIMEOUT']).toContain(await waiting);
  });
});

describe('opaque variables', () => {
  const objects = [
    { box: '0:5,0:5', bytes: patternBytes(1000, 1) },
    { box: '0:5,5:10', bytes: patternBytes(3 * MIB, 2) },
    { box: '5:10,0:10', bytes: new Uint8Array() },
  ];
  beforeAll(async () => {
    await sdk.declare({ name: 'mesh', dtype: 'bytes', shape: [10, 10] });
    for (const { box, bytes } of objects) {
      await plain.request('tide.v1.put', bytes, { 'Tide-Variable': 'mesh', 'Tide-Step': 0, 'Tide-Box': box });
    }
  });

  test('a get answers one message for each object, whole, with its box', async () => {
    const replies: PlainReply[] = [];
    await plain.stream('tide.v1.get', { 'Tide-Variable': 'mesh', 'Tide-Step': 0 }, (reply) => {
      expect(reply.status).toBe(0);
      replies.push(reply);
      return replies.length < Number(reply.header('Tide-Count')) ? 'more' : 'done';
    });
    expect(
      replies.map((reply) => [reply.header('Tide-Index'), reply.header('Tide-Count'), reply.header('Tide-Dtype')]),
    ).toEqual(objects.map((_, at) => [String(at), '3', 'bytes']));
    for (const { box, bytes } of objects) {
      const reply = replies.find((candidate) => candidate.header('Tide-Box') === box);
      expect(differenceOf(reply?.data ?? new Uint8Array(1), bytes)).toBeUndefined();
    }
  });

  test('a part of the domain answers the objects that it touches, never sliced', async () => {
    const found = await sdk.getObjects({ variable: 'mesh', step: 0, box: '2:3,2:7' });
    expect(found.map(({ bytes }) => bytes.length)).toEqual([1000, 3 * MIB]);
    expect(differenceOf(found[1]?.bytes ?? new Uint8Array(), objects[1]?.bytes ?? new Uint8Array())).toBeUndefined();
  });

  test('a hole is NOT_COVERED', async () => {
    await sdk.put({ variable: 'mesh', step: 1, box: '0:5,0:5', data: new Uint8Array(7) });
    await expect(sdk.getObjects({ variable: 'mesh', step: 1, box: '4:6,0:5' })).rejects.toMatchObject({
      code: 'NOT_COVERED',
      missing: ['5:6,0:5'],
    });
    const reply = await plain.request('tide.v1.get', '', { 'Tide-Variable': 'mesh', 'Tide-Step': 1 });
    expect(reply.json()).toMatchObject({ code: 'NOT_COVERED' });
  });

  test('a newer object over the same box takes its place; a large one goes as an upload', async () => {
    const large = patternBytes(10 * MIB, 5);
    await sdk.put({ variable: 'mesh', step: 0, box: '0:5,5:10', data: large, id: ulid() });
    const [object, ...others] = await sdk.getObjects({ variable: 'mesh', step: 0, box: '0:5,5:10' });
    expect(others).toEqual([]);
    expect(differenceOf(object?.bytes ?? new Uint8Array(), large)).toBeUndefined();
  });
});
