import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { formatBox, parseBox } from '@tidegate/geometry';
import { planStep, type StepAddress } from '../plan-step.js';
import { FakeStaging } from './fake-staging.js';

let staging: FakeStaging;
const { signal } = new AbortController();

beforeAll(async () => {
  staging = await FakeStaging.start();
  staging.declare('T', [16, 16]);
  staging.answerLookups('raw-a', 2);
});
afterAll(() => staging.end());
beforeEach(() => {
  staging.partitions = [];
  staging.dropped = false;
});

describe('a box', () => {
  it('is planned in box order', async () => {
    for (const box of ['8:16,8:16', '0:8,8:16', '8:16,0:8', '0:8,0:8']) staging.stage({ box });
    const planned = await planStep(staging, staging.at('T', 1), signal);
    expect(planned.covered && planned.plan.pieces.map(({ box }) => box)).toEqual([
      '0:8,0:8',
      '0:8,8:16',
      '8:16,0:8',
      '8:16,8:16',
    ]);
    expect(planned.covered && planned.plan.epoch).toBe(3);
  });

  it('orders by numbers, not by digits', async () => {
    for (let lower = 15; lower >= 0; lower--) staging.stage({ box: `${lower}:${lower + 1},0:16` });
    const planned = await planStep(staging, staging.at('T', 1), signal);
    const lowers = planned.covered ? planned.plan.pieces.map(({ box }) => parseBox(box).lower[0]) : [];
    expect(lowers).toEqual(Array.from({ length: 16 }, (_, n) => n));
  });

  it('tells what is missing', async () => {
    staging.stage({ box: '0:8,0:16' });
    const planned = await planStep(staging, staging.at('T', 1), signal);
    expect(planned).toEqual({ covered: false, missing: [parseBox('8:16,0:16')] });
  });

  it('tells that its window dropped the step', async () => {
    staging.dropped = true;
    expect(await planStep(staging, staging.at('T', 1), signal)).toMatchObject({ covered: false, dropped: true });
  });
});

describe('a partition that is decided alone', () => {
  const alone = (box: string, partition = staging.stage({ box })): StepAddress => ({
    ...staging.at('T', 1, '4:16,0:16'),
    partition: { id: partition.id, box: partition.box, raw: partition.raw, bytes: partition.bytes },
  });

  it('is the part inside the box, in its own epoch, without asking the shards', async () => {
    const before = staging.plans;
    const planned = await planStep(staging, alone('0:8,0:8'), signal);
    expect(planned).toMatchObject({ covered: true, plan: { epoch: 2, pieces: [{ box: '4:8,0:8', bytes: 512 }] } });
    expect(staging.plans).toBe(before);
  });

  it('is not there once its raw-service does not have it', async () => {
    const at = alone('0:8,0:8');
    staging.partitions = [];
    const planned = await planStep(staging, at, signal);
    expect(planned.covered === false && planned.missing.map(formatBox)).toEqual(['4:8,0:8']);
  });

  it('refuses one outside the box', async () => {
    await expect(planStep(staging, alone('0:4,0:8'), signal)).rejects.toThrow(RangeError);
  });
});

it('ends with its signal', async () => {
  const ended = AbortSignal.abort(new Error('enough'));
  await expect(planStep(staging, staging.at('T', 1), ended)).rejects.toThrow('enough');
});
