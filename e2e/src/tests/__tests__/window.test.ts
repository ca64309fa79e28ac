import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type Tidegate } from '@tidegate/client';
import { until } from '@tidegate/testing';
import { differenceOf, patternBytes } from '../cells.js';
import { type Deployment, startDeployment } from '../deployment.js';
import { median, type ProcessMemory, processMemory } from '../process-memory.js';
import { segmentsBelow } from '../segment-files.js';

const QUARTER_BYTES = 128 * 1024;
const STEP_BYTES = 4 * QUARTER_BYTES;
const WINDOW = 10;
const STEPS = 1000;
const BOXES = ['0:128,0:1024', '128:256,0:1024', '256:384,0:1024', '384:512,0:1024'] as const;

let deployment: Deployment;
let sdk: Tidegate;

beforeAll(async () => {
  deployment = await startDeployment({ raw: 1, meta: 1, memory: 12 * STEP_BYTES });
  sdk = await connect({ servers: deployment.url });
});
afterAll(async () => {
  await sdk?.close();
  await deployment?.stop();
});

function quarter(step: number, at: number): Uint8Array {
  return patternBytes(QUARTER_BYTES, step * 4 + at);
}

async function putStep(variable: string, step: number): Promise<void> {
  await Promise.all(BOXES.map((box, at) => sdk.put({ variable, step, box, data: quarter(step, at) })));
}

describe('1,000 steps through a window of 10, memory for 12', () => {
  const samples = new Map<string, { readonly step: number; readonly memory: ProcessMemory }[]>();

  test('go in, and the segments stay as they are', async () => {
    await sdk.declare({ name: 'u8', dtype: 'uint8', shape: [512, 1024], window: WINDOW });
    const segments = await segmentsBelow(deployment.memoryDir);
    const roomBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(segments.length).toBeGreaterThan(0);
    expect(roomBytes).toBe(12 * STEP_BYTES);
    for (let step = 0; step < STEPS; step++) {
      await putStep('u8', step);
      if (step % 10 !== 9) continue;
      for (const { name, pid } of deployment.services()) {
        const taken = samples.get(name) ?? [];
        taken.push({ step, memory: await processMemory(pid) });
        samples.set(name, taken);
      }
      if (step % 100 === 99) expect(await segmentsBelow(deployment.memoryDir)).toEqual(segments);
    }
    expect([...samples.keys()].sort()).toEqual(['meta-1', 'raw-1']);
  }, 120_000);

  test('leave the window in memory and the rest on disk', async () => {
    const steps = await until(
      async () => {
        const listed = await sdk.listSteps({ variable: 'u8' });
        return listed.filter(({ tier }) => tier === 'memory').length <= WINDOW && listed;
      },
      { what: 'the steps below the window to be on disk' },
    );
    expect(steps).toHaveLength(STEPS);
    expect(steps.every(({ covered, partitions, bytes }) => covered && partitions === 4 && bytes === STEP_BYTES)).toBe(
      true,
    );
    // The newest ones; of the ten, pressure may have spilled the oldest: eleven steps pass through memory for twelve.
    const kept = steps.filter(({ tier }) => tier === 'memory').map(({ step }) => step);
    expect(kept.length).toBeGreaterThanOrEqual(WINDOW - 1);
    expect(kept).toEqual(kept.map((_, at) => STEPS - kept.length + at));
  });

  test('are all readable, each with its own data', async () => {
    const into = new Uint8Array(STEP_BYTES);
    for (let step = 0; step < STEPS; step++) {
      await sdk.get({ variable: 'u8', step, into });
      for (let at = 0; at < BOXES.length; at++) {
        const part = into.subarray(at * QUARTER_BYTES, (at + 1) * QUARTER_BYTES);
        expect(differenceOf(part, quarter(step, at))).toBeUndefined();
      }
    }
  }, 60_000);

  /**
   * Tested is what a process holds for itself, RssAnon + RssFile: pages of the segments (RssShmem) are the memory
   * budget, counted by the sizes of the files above. Samples are taken every 10 steps; a step of 100 is told by their
   * median, since a garbage collector makes single samples jump.
   */
  test('the memory of each service stays flat after the first 100 steps', () => {
    for (const [name, taken] of samples) {
      const own = taken.map(({ memory }) => memory.anonymous + memory.file);
      const hundreds = Array.from({ length: STEPS / 100 }, (_, at) => median(own.slice(at * 10, at * 10 + 10)));
      const [, base = 0, ...later] = hundreds;
      const mebibytes = hundreds.map((bytes) => Math.round(bytes / 1048576)).join(' ');
      expect({ name, mebibytes, growth: Math.max(...later) / base <= 1.1 }).toEqual({ name, mebibytes, growth: true });
    }
  });

  test('deleted, they leave no room in use', async () => {
    const { partitions, bytes } = await sdk.delete({ variable: 'u8', steps: `0:${STEPS}` });
    expect({ partitions, bytes }).toEqual({ partitions: 4 * STEPS, bytes: STEPS * STEP_BYTES });
    const [service] = (await sdk.storage()).services;
    expect(service?.memory).toEqual({ usedBytes: 0, limitBytes: 12 * STEP_BYTES });
    expect(service?.disk.usedBytes).toBe(0);
  }, 60_000);
});

test('with onEvict drop, old steps are NOT_FOUND and their room is never lost', async () => {
  await sdk.declare({ name: 'dropped', dtype: 'uint8', shape: [512, 1024], window: WINDOW, onEvict: 'drop' });
  for (let step = 0; step < 300; step++) {
    await putStep('dropped', step);
    if (step % 50 !== 49) continue;
    const [service] = (await sdk.storage()).services;
    // A step that pressure spilled lies on disk until the window leaves it behind.
    expect(service?.memory.usedBytes).toBeLessThanOrEqual(12 * STEP_BYTES);
    expect(service?.disk.usedBytes).toBeLessThanOrEqual(3 * STEP_BYTES);
  }
  const steps = await until(
    async () => {
      const listed = await sdk.listSteps({ variable: 'dropped' });
      return listed.length <= WINDOW && listed;
    },
    { what: 'the steps below the window to be dropped' },
  );
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: WINDOW }, (_, at) => 300 - WINDOW + at));
  const [service] = (await sdk.storage()).services;
  const onDisk = steps.filter(({ tier }) => tier === 'disk').length;
  expect(onDisk).toBeLessThanOrEqual(1);
  expect(service?.memory.usedBytes).toBeGreaterThanOrEqual((WINDOW - onDisk) * STEP_BYTES);
  expect(service?.memory.usedBytes).toBeLessThanOrEqual(WINDOW * STEP_BYTES);
  for (const step of [0, 1, 150, 289]) {
    await expect(sdk.get({ variable: 'dropped', step })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // To wait for what will not come is told at once.
    const start = performance.now();
    await expect(sdk.get({ variable: 'dropped', step, waitMs: 20_000 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(performance.now() - start).toBeLessThan(2_000);
  }
  for (let step = 290; step < 300; step++) {
    const { bytes } = await sdk.get({ variable: 'dropped', step, box: BOXES[2] });
    expect(differenceOf(bytes, quarter(step, 2))).toBeUndefined();
  }
  await sdk.delete({ variable: 'dropped', steps: '0:300' });
  const [empty] = (await sdk.storage()).services;
  expect([empty?.memory.usedBytes, empty?.disk.usedBytes]).toEqual([0, 0]);
}, 60_000);

test('a consumer that deletes each step it has read needs no more room than the steps under way', async () => {
  await sdk.declare({ name: 'stream', dtype: 'uint8', shape: [512, 1024], window: 100 });
  for (let step = 0; step < 60; step++) {
    await putStep('stream', step);
    expect((await sdk.get({ variable: 'stream', step })).bytes).toHaveLength(STEP_BYTES);
    await sdk.delete({ variable: 'stream', steps: step });
    expect((await sdk.storage()).services[0]?.memory.usedBytes).toBe(0);
  }
});
