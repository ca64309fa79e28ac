import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import { differenceOf, patternBytes } from '../cells.js';
import { type Cluster, startCluster } from '../cluster.js';
import type { PlainClient } from '../plain-client.js';

const BYTES = 16 * 16 * 8;
let cluster: Cluster;
let sdk: Tidegate;
let plain: PlainClient;

beforeAll(async () => {
  cluster = await startCluster({ raw: 2, meta: 2 });
  [sdk, plain] = await Promise.all([cluster.sdk(), cluster.plain()]);
  for (const name of ['T', 'U']) await sdk.declare({ name, dtype: 'float64', shape: [16, 16], window: 4 });
  for (const run of ['a', 'b']) {
    for (const variable of ['T', 'U']) {
      for (let step = 0; step < 10; step++) await sdk.put({ variable, run, step, data: patternBytes(BYTES, step) });
    }
  }
});
afterAll(() => cluster?.stop());

async function stepsOf(variable: string, run: string): Promise<readonly number[]> {
  return (await sdk.listSteps({ variable, run })).map(({ step }) => step);
}
const UP_TO = (last: number) => Array.from({ length: last + 1 }, (_, step) => step);

test('a rollback drops the steps above, of every variable of that run alone', async () => {
  expect(await sdk.rollback({ run: 'a', toStep: 5, reason: 'diverged' })).toEqual({ epoch: 1 });
  for (const variable of ['T', 'U']) {
    expect(await stepsOf(variable, 'a')).toEqual(UP_TO(5));
    expect(await stepsOf(variable, 'b')).toEqual(UP_TO(9));
  }
  await expect(sdk.get({ variable: 'T', run: 'a', step: 6 })).rejects.toMatchObject({ code: 'NOT_COVERED' });
  const kept = await sdk.get({ variable: 'T', run: 'a', step: 5 });
  expect(differenceOf(kept.bytes, patternBytes(BYTES, 5))).toBeUndefined();
});

test('the steps are put anew in the next epoch, and readers see it', async () => {
  const reply = await sdk.put({ variable: 'T', run: 'a', step: 6, data: patternBytes(BYTES, 106) });
  expect(reply).toMatchObject({ epoch: 1, step: 6 });
  const got = await plain.request('tide.v1.get', '', { 'Tide-Variable': 'T', 'Tide-Run': 'a', 'Tide-Step': 'latest' });
  expect([got.header('Tide-Step'), got.header('Tide-Epoch')]).toEqual(['6', '1']);
  expect(differenceOf(got.data, patternBytes(BYTES, 106))).toBeUndefined();
  expect(await sdk.query({ variable: 'T', run: 'a', step: 6 })).toMatchObject({ covered: true, epoch: 1 });
});

test('a rollback of one variable leaves the others', async () => {
  const reply = await plain.control('tide.v1.run.rollback', { run: 'b', variables: ['U'], toStep: 2 });
  expect(reply.json()).toEqual({ epoch: 1 });
  expect(await stepsOf('U', 'b')).toEqual(UP_TO(2));
  expect(await stepsOf('T', 'b')).toEqual(UP_TO(9));
});

test('a put that is under way when its run is rolled back does not come back later', async () => {
  await sdk.declare({ name: 'racing', dtype: 'float64', shape: [16, 16] });
  for (let turn = 0; turn < 5; turn++) {
    const puts = Array.from({ length: 20 }, (_, at) =>
      sdk.put({ variable: 'racing', run: 'race', step: 10 + at, data: patternBytes(BYTES, at) }).then(
        ({ epoch }) => ({ step: 10 + at, epoch }),
        (error: { code?: string }) => {
          expect(error.code).toBe('CONFLICT');
          return { step: 10 + at, epoch: -1 };
        },
      ),
    );
    const { epoch } = await sdk.rollback({ run: 'race', toStep: 5 });
    const outcomes = await Promise.all(puts);
    // Those of the new epoch stand; those of an older one are gone.
    expect(await stepsOf('racing', 'race')).toEqual(
      outcomes.filter((put) => put.epoch >= epoch).map(({ step }) => step),
    );
    await sdk.delete({ variable: 'racing', run: 'race', steps: '0:1000' });
  }
});

test('the room of what was rolled back is free again', async () => {
  for (const variable of ['T', 'U', 'racing']) await sdk.deleteVariable(variable);
  const { services } = await sdk.storage();
  expect(services.map(({ memory, disk }) => memory.usedBytes + disk.usedBytes)).toEqual([0, 0]);
});
