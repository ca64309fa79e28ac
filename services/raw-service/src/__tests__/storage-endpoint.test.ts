import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PUBLIC, rawSubject, STREAMS, type StorageReply, storageEventSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { RawBench } from './raw-bench.js';

let bench: RawBench;

beforeAll(async () => {
  bench = await RawBench.start();
  await bench.raw('raw2');
  await bench.raw('raw1');
});
afterAll(() => bench.stop());

const storage = () => bench.bus.requestJson<StorageReply>(PUBLIC.storage, {}, { timeoutMs: 5000 });

test('tells of every raw-service and of every stream, also of those that nobody has needed so far', async () => {
  const reply = await until(async () => {
    const told = await storage();
    return told.services.length === 2 && told;
  });
  expect(reply.services.map(({ id }) => id)).toEqual(['raw1', 'raw2']);
  expect(reply.state).toBe('ok');
  const own = await bench.bus.requestJson(rawSubject('raw1', 'storage'), {}, { timeoutMs: 5000 });
  expect(reply.services[0]).toEqual(own);
  expect(reply.streams.map(({ name, limitBytes }) => ({ name, limitBytes }))).toEqual(
    Object.values(STREAMS).map(({ name, maxBytes }) => ({ name, limitBytes: maxBytes })),
  );
  expect(reply.streams.find(({ name }) => name === STREAMS.decisions.name)).toMatchObject({
    messages: 0,
    usedBytes: 0,
  });
  await bench.bus.request(storageEventSubject('test'), new TextEncoder().encode('{}'), { timeoutMs: 5000 });
  const { streams } = await storage();
  expect(streams.find(({ name }) => name === STREAMS.events.name)).toMatchObject({ messages: 1 });
});
