import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, type Tidegate } from '@tidegate/client';
import { differenceOf, patternBytes } from '../cells.js';
import { type Deployment, startDeployment } from '../deployment.js';

const BYTES = 64 * 64 * 8;
let deployment: Deployment;
let sdk: Tidegate;

beforeAll(async () => {
  deployment = await startDeployment({ raw: 1, meta: 1 });
  sdk = await connect({ servers: deployment.url });
  for (const durability of ['durable', 'memory'] as const) {
    await sdk.declare({ name: durability, dtype: 'float64', shape: [64, 64], durability });
    for (let step = 0; step < 20; step++) {
      await sdk.put({ variable: durability, step, data: patternBytes(BYTES, step) });
    }
  }
});
afterAll(async () => {
  await sdk?.close();
  await deployment?.stop();
});

async function expectAll(variable: string): Promise<void> {
  for (let step = 0; step < 20; step++) {
    expect(differenceOf((await sdk.get({ variable, step })).bytes, patternBytes(BYTES, step))).toBeUndefined();
  }
}

test('SIGKILL of the raw-service loses nothing while its memory folder stays', async () => {
  await deployment.end('raw-1', 'SIGKILL');
  await deployment.start('raw-1');
  await expectAll('memory');
  await expectAll('durable');
}, 30_000);

test('SIGKILL and a lost memory folder lose no step of a durable variable', async () => {
  await deployment.end('raw-1', 'SIGKILL');
  await rm(join(deployment.memoryDir, 'raw-1'), { recursive: true });
  await deployment.start('raw-1');
  await expectAll('durable');
  // Steps 10 … 19 of the other variable were in memory alone: they are told as missing, not as zeros.
  for (let step = 10; step < 20; step++) {
    await expect(sdk.get({ variable: 'memory', step })).rejects.toMatchObject({ code: 'NOT_COVERED' });
  }
  // And it goes on working.
  await sdk.put({ variable: 'memory', step: 30, data: patternBytes(BYTES, 30) });
  expect(
    differenceOf((await sdk.get({ variable: 'memory', step: 'latest' })).bytes, patternBytes(BYTES, 30)),
  ).toBeUndefined();
}, 30_000);

test('what was put before a stop of everything is there after it', async () => {
  await deployment.end('raw-1', 'SIGTERM');
  await deployment.end('meta-1', 'SIGTERM');
  await deployment.start('meta-1');
  await deployment.start('raw-1');
  await expectAll('durable');
  expect((await sdk.get({ variable: 'memory', step: 30 })).step).toBe(30);
}, 30_000);
