import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type KvBucket, openBucket, silentLogger } from '@tidegate/bus';
import type { SettledRecord } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { FakeStaging } from '../../measure/__tests__/fake-staging.js';
import { SettledLog, settledSequence } from '../settled.js';

let staging: FakeStaging;
let bucket: KvBucket<SettledRecord>;
const log = (trigger: string) => ({ root: 'hot', generation: 1, run: 'r', trigger });

beforeAll(async () => {
  staging = await FakeStaging.start();
  bucket = await openBucket<SettledRecord>(staging.bus, 'settled');
});
afterAll(() => staging.end());

it('writes the last of many notes', async () => {
  const settled = new SettledLog(bucket, silentLogger);
  for (let sequence = 1; sequence <= 500; sequence++) settled.note(log('hot'), sequence);
  settled.note(log('hot~confirm'), 17);
  expect(await settled.read(log('hot'))).toBe(0);
  await until(async () => (await settled.read(log('hot'))) === 500 && (await settled.read(log('hot~confirm'))) === 17);
  expect((await bucket.get('hot.1.r'))?.revision).toBeLessThan(4);
  expect(await settledSequence({ settled }, log('never'))).toBe(0);
  await settled.stop();
});

it('writes what is noted when it stops, and nothing later', async () => {
  const settled = new SettledLog(bucket, silentLogger);
  settled.note(log('late'), 3);
  await settled.stop();
  settled.note(log('late'), 4);
  expect(await new SettledLog(bucket, silentLogger).read(log('late'))).toBe(3);
});

it('keeps a note that could not be written, and the newest of them', async () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) };
  let fails = true;
  const flaky = new Proxy(bucket, {
    get(target, key) {
      if (key !== 'put') return target.get.bind(target);
      return (name: string, value: SettledRecord) =>
        fails ? Promise.reject(new Error('no')) : target.put(name, value);
    },
  });
  const settled = new SettledLog(flaky, logger);
  settled.note(log('flaky'), 5);
  await until(() => warnings.length > 0);
  settled.note(log('flaky'), 6);
  fails = false;
  await settled.stop();
  expect(await settled.read(log('flaky'))).toBe(6);
});
