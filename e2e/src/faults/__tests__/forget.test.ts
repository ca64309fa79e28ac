import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, type Tidegate, UnavailableError } from '@tidegate/client';
import { until } from '@tidegate/testing';
import { type Deployment, startDeployment } from '../../tests/deployment.js';
import { TIDEGATE_BIN } from '../../tests/tidegate-process.js';

let deployment: Deployment;
let tide: Tidegate;

beforeAll(async () => {
  deployment = await startDeployment({ raw: 2, meta: 1 });
  tide = await connect({ servers: deployment.url });
});
afterAll(async () => {
  await tide?.close();
  await deployment?.stop();
});

function forget(id: string): Promise<{ stdout: string }> {
  return promisify(execFile)(process.execPath, [
    TIDEGATE_BIN,
    'storage',
    'forget',
    id,
    '--nats',
    deployment.url,
    '--json',
  ]);
}

test('a raw-service that is gone for good is waited for until an operator forgets it', async () => {
  await tide.declare({ name: 'T', dtype: 'uint8', shape: [64] });
  const holders = new Map<string, number>();
  for (let step = 0; holders.size < 2; step++) {
    const { rawService } = await tide.put({ variable: 'T', step, data: new Uint8Array(64).fill(step + 1) });
    holders.set(rawService, step);
  }
  const lost = holders.get('raw-1') ?? 0;
  const kept = holders.get('raw-2') ?? 0;
  await expect(forget('raw-1')).rejects.toThrow(/CONFLICT.*raw-1.*is live/);

  await deployment.end('raw-1', 'SIGKILL');
  await deployment.end('meta-1', 'SIGKILL');
  await deployment.start('meta-1');
  // The new owner cannot know whether raw-1 held newer data, so it does not answer from what it has.
  const early = tide.get({ variable: 'T', step: kept, timeoutMs: 4000 });
  await expect(early).rejects.toThrow(UnavailableError);
  await expect(early).rejects.toThrow(/raw-1/);

  // Its announcement outlives it by up to five seconds.
  let forgotten = '';
  const accepted = async () => {
    forgotten = await forget('raw-1').then(
      ({ stdout }) => stdout,
      () => '',
    );
    return forgotten !== '';
  };
  await until(accepted, { timeoutMs: 10_000, what: 'raw-1 to be forgotten' });
  expect(JSON.parse(forgotten)).toEqual({ forgotten: 'raw-1' });
  expect((await tide.get({ variable: 'T', step: kept })).bytes).toEqual(new Uint8Array(64).fill(kept + 1));
  await expect(tide.get({ variable: 'T', step: lost })).rejects.toMatchObject({ code: 'NOT_COVERED' });
  await expect(forget('raw-1')).rejects.toThrow(/NOT_FOUND/);

  await deployment.start('raw-1');
  expect((await tide.get({ variable: 'T', step: lost, waitMs: 5000 })).bytes).toEqual(
    new Uint8Array(64).fill(lost + 1),
  );
}, 60_000);
