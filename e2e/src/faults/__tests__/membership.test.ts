import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '@tidegate/client';
import { type Deployment, startDeployment } from '../../tests/deployment.js';
import { PlainClient } from '../../tests/plain-client.js';
import { underLoad } from '../put-load.js';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startDeployment({ raw: 2, meta: 1 });
});
afterAll(() => deployment?.stop());

test('a second meta-service joins and leaves under load: no failed request reaches a user', async () => {
  await underLoad(deployment.url, 'joined', async (load) => {
    await load.progress(20);
    for (let turn = 0; turn < 2; turn++) {
      await deployment.start('meta-2');
      await load.progress(40);
      expect(await deployment.end('meta-2', 'SIGTERM')).toEqual({ code: 0, signal: null });
      await load.progress(20);
    }
    expect(await load.finish()).toBeGreaterThanOrEqual(4 * 140);
    await load.verify();
  });
}, 40_000);

test('the first meta-service leaves while a second one stays', async () => {
  await deployment.start('meta-2');
  await underLoad(deployment.url, 'left', async (load) => {
    await load.progress(20);
    expect(await deployment.end('meta-1', 'SIGTERM')).toEqual({ code: 0, signal: null });
    await load.progress(40);
    await deployment.start('meta-1');
    await load.progress(20);
    expect(await load.finish()).toBeGreaterThanOrEqual(4 * 80);
    await load.verify();
  });
}, 40_000);

/** Longer than a lease lives, so that the shards of a paused owner move. */
const PAUSED_MS = 6_000;

test('a meta-service that is paused loses its shards, and serves nothing stale when it goes on', async () => {
  await underLoad(deployment.url, 'paused', async (load) => {
    await load.progress(20);
    deployment.signal('meta-1', 'SIGSTOP');
    const resumed = pause(PAUSED_MS).then(() => deployment.signal('meta-1', 'SIGCONT'));
    // Its shards have a new owner before it goes on: the writers do not wait for it.
    await load.progress(20, PAUSED_MS);
    await resumed;
    await load.progress(40);
    expect(await load.finish()).toBeGreaterThanOrEqual(4 * 80);
    await load.verify();
  });
}, 40_000);

test('a raw-service leaves with SIGTERM and comes back under load', async () => {
  await underLoad(deployment.url, 'raw-left', async (load) => {
    await load.progress(20);
    expect(await deployment.end('raw-1', 'SIGTERM')).toEqual({ code: 0, signal: null });
    await deployment.start('raw-1');
    await load.progress(30);
    expect(await load.finish()).toBeGreaterThanOrEqual(4 * 50);
    await load.verify();
  });
}, 40_000);

test('while the raw-service with the newest data is away, older data is not served in its place', async () => {
  const plain = await PlainClient.connect(deployment.url);
  const sdk = await connect({ servers: deployment.url });
  try {
    await sdk.declare({ name: 'stale', dtype: 'uint8', shape: [16] });
    const putAt = async (raw: string, value: number) => {
      const headers = { 'Tide-Variable': 'stale', 'Tide-Step': 0 };
      const reply = await plain.request(`tide.v1.raw.${raw}.put`, new Uint8Array(16).fill(value), headers);
      expect(reply.json()).toMatchObject({ rawService: raw });
    };
    await putAt('raw-2', 1);
    await putAt('raw-1', 2);
    expect((await sdk.get({ variable: 'stale', step: 0 })).data[0]).toBe(2);
    await deployment.end('raw-1', 'SIGKILL');
    const read = (timeoutMs: number) =>
      sdk.get({ variable: 'stale', step: 0, timeoutMs }).then(
        ({ data }) => data[0],
        (error: { code?: string }) => error.code,
      );
    expect(['UNAVAILABLE', 'TIMEOUT']).toContain(await read(1_500));
    // A new owner of the shards has never heard of what the absent one holds: it knows that it does not know.
    await deployment.end('meta-1', 'SIGKILL');
    await deployment.end('meta-2', 'SIGKILL');
    await Promise.all([deployment.start('meta-1'), deployment.start('meta-2')]);
    expect(['UNAVAILABLE', 'TIMEOUT']).toContain(await read(6_000));
    await deployment.start('raw-1');
    expect(await read(20_000)).toBe(2);
  } finally {
    await Promise.all([plain.close(), sdk.close()]);
  }
}, 60_000);
