import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ensureStreams } from '@tidegate/bus';
import { taskConsumer } from '@tidegate/client';
import { until } from '@tidegate/testing';
import { FakeStaging } from '../../measure/__tests__/fake-staging.js';
import { ensureTaskConsumer } from '../task-consumer.js';
import { queueConsumers } from '../task-stream.js';

let staging: FakeStaging;

beforeAll(async () => {
  staging = await FakeStaging.start();
  await ensureStreams(staging.bus);
});
afterAll(() => staging.end());

const names = async () => (await queueConsumers(staging.bus)).map(({ name }) => name).sort();

it('makes one durable consumer for each task, whoever comes first', async () => {
  await Promise.all(['b', 'a', 'b', 'a'].map((name) => ensureTaskConsumer(staging.bus, name)));
  expect(await names()).toEqual(['a', 'b']);
  expect(await queueConsumers(staging.bus)).toContainEqual({
    name: 'a',
    filter: 'tide.v1.task.a',
    delivered: 0,
    pending: 0,
  });
  expect(taskConsumer('a')).toMatchObject({ stream: 'TIDE_TASKS', deliveries: 5, ackWaitMs: 30_000 });
});

it('looks again after a while for one that somebody deleted', async () => {
  let now = Date.now();
  await ensureTaskConsumer(staging.bus, 'gone', () => now);
  const api = staging.bus.request('$JS.API.CONSUMER.DELETE.TIDE_TASKS.gone', new Uint8Array(), { timeoutMs: 5000 });
  await api;
  await until(async () => !(await names()).includes('gone'));
  await ensureTaskConsumer(staging.bus, 'gone', () => now);
  expect(await names()).not.toContain('gone');
  now += 60_001;
  await ensureTaskConsumer(staging.bus, 'gone', () => now);
  expect(await names()).toContain('gone');
});
