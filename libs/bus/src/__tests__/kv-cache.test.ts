import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TimeoutError } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { connectBus } from '../connect.js';
import { jetStreamApi } from '../jetstream.js';
import { type KvBucket, openBucket } from '../kv.js';
import { KvCache, type KvCacheOptions } from '../kv-cache.js';

describe('KvCache', () => {
  let server: NatsServer;
  let bus: Bus;
  let writer: Bus;
  let bucket: KvBucket<number>;
  let remote: KvBucket<number>;
  const open: KvCache<number>[] = [];

  const cached = async (options: KvCacheOptions<number> = {}): Promise<KvCache<number>> => {
    const cache = await KvCache.open(bucket, options);
    open.push(cache);
    return cache;
  };

  beforeAll(async () => {
    server = await startNatsServer();
    bus = await connectBus({ servers: server.url, name: 'cache' });
    writer = await connectBus({ servers: server.url, name: 'writer' });
    bucket = await openBucket<number>(bus, 'variables');
    remote = await openBucket<number>(writer, 'variables');
  });

  afterEach(() => {
    for (const cache of open.splice(0)) cache.stop();
  });

  afterAll(async () => {
    await bus.close();
    await writer.close();
    await server.stop();
  });

  it('opens on an empty bucket, then follows writes and deletes in order', async () => {
    const changes: string[] = [];
    const cache = await cached({ onChange: (key, entry, change) => changes.push(`${key} ${entry?.value} ${change}`) });
    expect(cache.inSync).toBe(true);
    await remote.put('a', 1);
    const revision = await remote.put('a', 2);
    await cache.waitFor(revision, 5000);
    expect(cache.get('a')).toBe(2);
    await remote.delete('a');
    await until(() => cache.get('a') === undefined);
    expect(changes.at(-2)).toBe('a 2 written');
    expect(changes.at(-1)).toBe('a undefined deleted');
  });

  it('holds what was there when it was opened', async () => {
    await remote.put('x', 1);
    await remote.put('y', 2);
    const revision = await remote.put('z', 3);
    await remote.delete('y');
    const cache = await cached();
    expect(new Map([...cache.entries()].map(([key, { value }]) => [key, value]))).toEqual(
      new Map([
        ['x', 1],
        ['z', 3],
      ]),
    );
    expect(cache.revision).toBeGreaterThan(revision);
  });

  it('waits for a revision, up to a time', async () => {
    const cache = await cached();
    const wait = cache.waitFor(cache.revision + 1, 5000);
    await remote.put('w', 1);
    await wait;
    expect(cache.get('w')).toBe(1);
    await expect(cache.waitFor(cache.revision + 1, 20)).rejects.toThrow(TimeoutError);
  });

  it('asks the bucket for what the watch has not brought yet', async () => {
    const cache = await cached();
    await remote.put('fresh', 7);
    expect(await cache.getThrough('fresh')).toBe(7);
    expect(await cache.getThrough('absent')).toBeUndefined();
    await remote.delete('fresh');
    await until(() => cache.get('fresh') === undefined);
    expect(await cache.getThrough('fresh')).toBeUndefined();
  });

  it('goes on after its consumer was deleted, and learns what it missed', async () => {
    const cache = await cached();
    const before = await remote.put('kept', 1);
    await cache.waitFor(before, 5000);
    const { consumers } = await jetStreamApi<{ consumers: string[] }>(writer, `CONSUMER.NAMES.${bucket.streamName}`);
    for (const name of consumers) await jetStreamApi(writer, `CONSUMER.DELETE.${bucket.streamName}.${name}`);
    const revision = await remote.put('kept', 2);
    await cache.waitFor(revision, 9000);
    expect(cache.get('kept')).toBe(2);
  });

  it('is in step again after the server was killed and came back', async () => {
    const gone: string[] = [];
    let syncs = 0;
    const cache = await cached({
      onChange: (key, _, change) => {
        if (change !== 'written') gone.push(`${key} ${change}`);
      },
      onSync: () => {
        syncs++;
      },
    });
    await cache.waitFor(await remote.put('stays', 1), 5000);
    await cache.waitFor(await remote.put('goes', 1), 5000);
    await server.kill('SIGKILL');
    await until(() => !bus.connected && !writer.connected);
    expect(cache.inSync).toBe(false);
    expect(cache.get('stays')).toBe(1);
    await server.restart();
    const revision = await until(() => remote.put('stays', 2));
    // Purged, so that no marker is left to tell of it.
    await jetStreamApi(writer, `STREAM.PURGE.${bucket.streamName}`, { filter: bucket.subject('goes') });
    await cache.waitFor(revision, 9000);
    expect(cache.get('stays')).toBe(2);
    expect(syncs).toBeGreaterThan(1);
  });

  it('drops what vanished while its watch was interrupted', async () => {
    const gone: string[] = [];
    const cache = await cached({
      onChange: (key, _, change) => {
        if (change === 'missing') gone.push(key);
      },
    });
    await cache.waitFor(await remote.put('vanishes', 1), 5000);
    await jetStreamApi(writer, `STREAM.PURGE.${bucket.streamName}`, { filter: bucket.subject('vanishes') });
    expect(cache.get('vanishes')).toBe(1);
    await server.restart();
    await until(() => cache.get('vanishes') === undefined);
    expect(gone).toEqual(['vanishes']);
    // Each connection finds the restarted server in its own time, and the next test writes.
    await until(() => bus.connected && writer.connected, { what: 'both connections to be back' });
  });

  it('replaces everything when the bucket was made anew', async () => {
    const cache = await cached();
    for (let n = 0; n < 20; n++) await remote.put('old', n);
    await cache.waitFor(await remote.put('both', 1), 5000);
    await jetStreamApi(writer, `STREAM.DELETE.${bucket.streamName}`);
    remote = await openBucket<number>(writer, 'variables');
    await remote.put('both', 2);
    await until(() => cache.get('both') === 2 && cache.get('old') === undefined);
    await cache.waitFor(await remote.put('both', 3), 5000);
    expect(cache.get('both')).toBe(3);
  });
});
