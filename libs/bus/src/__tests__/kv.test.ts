import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StorageFullError } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { AttemptTimeoutError } from '../bus-errors.js';
import { connectBus } from '../connect.js';
import { KvBucket, openBucket } from '../kv.js';
import { ensureStreamConfig } from '../stream-config.js';

interface Value {
  readonly n: number;
}

describe('KvBucket', () => {
  let server: NatsServer;
  let bus: Bus;
  let bucket: KvBucket<Value>;

  beforeAll(async () => {
    server = await startNatsServer();
    bus = await connectBus({ servers: server.url, name: 'kv' });
    bucket = await openBucket<Value>(bus, 'variables');
  });

  afterAll(async () => {
    await bus.close();
    await server.stop();
  });

  it('opens the same bucket twice', async () => {
    const again = await openBucket<Value>(bus, 'variables');
    const revision = await bucket.put('twice', { n: 1 });
    expect(await again.get('twice')).toEqual({ value: { n: 1 }, revision });
  });

  it('is laid out as the client expects a bucket', async () => {
    await bucket.put('seen', { n: 5 });
    const view = await bus.connection.jetstream().views.kv(bucket.name);
    expect((await view.get('seen'))?.json()).toEqual({ n: 5 });
    expect((await view.status()).history).toBe(1);
  });

  it('creates a key once', async () => {
    expect(await bucket.create('once', { n: 1 })).toEqual(expect.any(Number));
    expect(await bucket.create('once', { n: 2 })).toBeUndefined();
    expect((await bucket.get('once'))?.value).toEqual({ n: 1 });
  });

  it('creates a deleted key anew', async () => {
    await bucket.create('back', { n: 1 });
    expect(await bucket.delete('back')).toBe(true);
    expect(await bucket.get('back')).toBeUndefined();
    expect(await bucket.create('back', { n: 2 })).toEqual(expect.any(Number));
    expect((await bucket.get('back'))?.value).toEqual({ n: 2 });
  });

  it('updates and deletes only at the expected revision', async () => {
    const first = (await bucket.create('cas', { n: 1 })) ?? 0;
    const second = await bucket.update('cas', { n: 2 }, first);
    expect(second).toBeGreaterThan(first);
    expect(await bucket.update('cas', { n: 3 }, first)).toBeUndefined();
    expect(await bucket.delete('cas', first)).toBe(false);
    expect(await bucket.delete('cas', second)).toBe(true);
    expect(await bucket.get('cas')).toBeUndefined();
  });

  it('lists the keys that hold a value', async () => {
    const listed = await openBucket<Value>(bus, 'runs');
    expect(await listed.keys()).toEqual([]);
    await listed.put('a.1', { n: 1 });
    await listed.put('b', { n: 1 });
    await listed.put('c', { n: 1 });
    await listed.delete('c');
    expect((await listed.keys()).sort()).toEqual(['a.1', 'b']);
  });

  it('rejects a key that is no key', async () => {
    await expect(bucket.put('a..b', { n: 1 })).rejects.toThrow(RangeError);
    await expect(bucket.get('*')).rejects.toThrow(RangeError);
  });

  it('answers STORAGE_FULL for the stream where the bucket is full, and still reads', async () => {
    await ensureStreamConfig(bus, {
      name: 'KV_small',
      subjects: ['$KV.small.>'],
      max_bytes: 2000,
      discard: 'new' as never,
      max_msgs_per_subject: 1,
    });
    const small = new KvBucket<string>(bus, 'small', 0);
    await small.put('first', 'x'.repeat(1000));
    const failure = small.put('second', 'x'.repeat(1000));
    await expect(failure).rejects.toThrow(StorageFullError);
    await expect(failure).rejects.toMatchObject({ storage: { limit: 'stream' }, retryAfterMs: expect.any(Number) });
    expect((await small.get('first'))?.value).toHaveLength(1000);
  });

  it('finds out whether a write of unknown outcome was done', async () => {
    // The time to live only shortens the time-outs here.
    const hasty = new KvBucket<Value>(bus, bucket.name, 900);
    const first = (await bucket.create('unknown', { n: 1 })) ?? 0;
    const gone = (await bucket.create('unknown-gone', { n: 1 })) ?? 0;
    await server.kill('SIGSTOP');
    const update = hasty.update('unknown', { n: 2 }, first);
    const create = hasty.create('unknown-new', { n: 3 });
    const deletion = hasty.delete('unknown-gone', gone);
    // The requests lie in the socket of the paused server, which carries them out once it goes on, after their time-out.
    await expect(bus.request('nobody', new Uint8Array(), { timeoutMs: 350 })).rejects.toThrow(AttemptTimeoutError);
    await server.kill('SIGCONT');
    expect(await update).toBeGreaterThan(first);
    expect(await bucket.get('unknown')).toEqual({ value: { n: 2 }, revision: await update });
    expect(await bucket.get('unknown-new')).toEqual({ value: { n: 3 }, revision: await create });
    expect(await deletion).toBe(true);
    expect(await bucket.get('unknown-gone')).toBeUndefined();
  });

  it('fails fast while the connection is lost, and works when it is back', async () => {
    await server.kill('SIGKILL');
    await until(() => !bus.connected);
    await expect(bucket.put('later', { n: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await server.restart();
    await until(() => bus.connected);
    await until(() => bucket.put('later', { n: 1 }));
    expect((await bucket.get('later'))?.value).toEqual({ n: 1 });
  });
});
