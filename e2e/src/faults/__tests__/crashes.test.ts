import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '@tidegate/client';
import { until } from '@tidegate/testing';
import { differenceOf, patternBytes } from '../../tests/cells.js';
import { type Deployment, startDeployment } from '../../tests/deployment.js';
import { underLoad } from '../put-load.js';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startDeployment({ raw: 2, meta: 2 });
});
afterAll(() => deployment?.stop());

/** Kills services in the middle of the writers' load, brings them back, and checks all that was acknowledged. */
async function killed(
  name: string,
  victims: readonly string[],
  rounds = 1,
  next: readonly string[] = [],
): Promise<void> {
  await underLoad(deployment.url, name, async (load) => {
    await load.progress(30);
    for (let round = 0; round < rounds; round++) {
      for (const group of [victims, next]) {
        await Promise.all(group.map((victim) => deployment.end(victim, 'SIGKILL')));
        await Promise.all(group.map((victim) => deployment.start(victim)));
      }
      await load.progress(30);
    }
    expect(await load.finish()).toBeGreaterThanOrEqual(4 * 60);
    await load.verify();
  });
}

describe('SIGKILL in the middle of four writers, then a restart: every acknowledged put is there, once', () => {
  test('a raw-service', () => killed('raw-killed', ['raw-1']), 40_000);
  test('a meta-service', () => killed('meta-killed', ['meta-1']), 40_000);
  test('a raw-service and a meta-service at once', () => killed('both-killed', ['raw-2', 'meta-2']), 40_000);
  test('all of them at once', () => killed('all-killed', ['raw-1', 'raw-2', 'meta-1', 'meta-2']), 40_000);
  test('a raw-service, three times in a row', () => killed('thrice', ['raw-1'], 3), 40_000);
  test('both raw-services, one after the other', () => killed('in-turn', ['raw-1'], 1, ['raw-2']), 40_000);

  test('a raw-service in the middle of large puts, which begin again at another one', async () => {
    const sdk = await connect({ servers: deployment.url });
    try {
      const bytes = 8 << 20;
      await sdk.declare({ name: 'large', dtype: 'uint8', shape: [bytes] });
      let sent = 0;
      const puts = Array.from({ length: 6 }, (_, step) =>
        sdk.put({
          variable: 'large',
          step,
          data: patternBytes(bytes, step),
          onProgress: (of) => {
            sent = Math.max(sent, of);
          },
        }),
      );
      await until(() => sent > 0, { what: 'the first chunk' });
      await deployment.end('raw-1', 'SIGKILL');
      await deployment.start('raw-1');
      const replies = await Promise.all(puts);
      const steps = await sdk.listSteps({ variable: 'large' });
      expect(steps.map(({ step, partitions }) => [step, partitions])).toEqual(replies.map(({ step }) => [step, 1]));
      for (const { step, id } of replies) {
        expect((await sdk.query({ variable: 'large', step })).pieces.map((piece) => piece.id)).toEqual([id]);
        expect(
          differenceOf((await sdk.get({ variable: 'large', step })).bytes, patternBytes(bytes, step)),
        ).toBeUndefined();
      }
      await sdk.deleteVariable('large');
      // An upload that was left half-way at the other service holds its room until it expires.
      const { services } = await sdk.storage();
      expect(services.find(({ id }) => id === 'raw-1')?.memory.usedBytes).toBe(0);
    } finally {
      await sdk.close();
    }
  }, 40_000);
});
