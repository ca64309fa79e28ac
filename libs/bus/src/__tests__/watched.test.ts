import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { clusterConfig } from '../cluster-config.js';
import { connectBus } from '../connect.js';
import { openBucket } from '../kv.js';
import { watchBucket } from '../watched.js';

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'watched' });
});

afterAll(async () => {
  await bus.close();
  await server.stop();
});

it('a watched bucket has what is there, and tells what changes', async () => {
  await (await openBucket<{ n: number }>(bus, 'pins')).put('a', { n: 1 });
  const changes: unknown[] = [];
  const { bucket, cache } = await watchBucket<{ n: number }>(bus, 'pins', (key, value) => changes.push([key, value]));
  expect(cache.get('a')).toEqual({ n: 1 });
  changes.length = 0;
  await bucket.put('b', { n: 2 });
  await bucket.delete('a');
  await until(() => changes.length === 2);
  expect(changes).toEqual([
    ['b', { n: 2 }],
    ['a', undefined],
  ]);
  cache.stop();
});

it('the first service to ask for the configuration writes it, and all have the same', async () => {
  const configs = await Promise.all([2, 3, 4, undefined].map((shards) => clusterConfig(bus, shards)));
  expect(new Set(configs.map((config) => JSON.stringify(config))).size).toBe(1);
  expect(configs[0]).toMatchObject({ protocol: 1 });
  expect(await clusterConfig(bus, 99)).toEqual(configs[0]);
});
