import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '@tidegate/client';
import { type RunningProcess, type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { differenceOf, patternBytes } from '../../tests/cells.js';
import { memoryDirectory } from '../../tests/memory-directory.js';
import { commandLine, spawnTidegate } from '../../tests/tidegate-process.js';

const BYTES = 32 * 32 * 8;
let data: TemporaryDirectory;
let memory: TemporaryDirectory;
let running: RunningProcess;

function up(): Promise<RunningProcess> {
  const options = { natsPort: 0, dataDir: data.path, memoryDir: memory.path, memory: 32 << 20, raw: 2 };
  return spawnTidegate({ args: ['up', ...commandLine(options)] });
}

beforeAll(async () => {
  [data, memory] = await Promise.all([temporaryDirectory('tidegate-e2e-'), memoryDirectory()]);
  running = await up();
});
afterAll(async () => {
  running?.kill('SIGTERM');
  await running?.waitExit();
  await Promise.all([data?.remove(), memory?.remove()]);
});

test('`tidegate up` is killed, with the nats-server that it started, and started again: all is there', async () => {
  for (let round = 0; round < 3; round++) {
    const sdk = await connect({ servers: running.ready[1] ?? '' });
    try {
      await sdk.declare({ name: 'T', dtype: 'float64', shape: [32, 32], window: 5 });
      for (let step = 0; step < round * 12; step++) {
        expect(differenceOf((await sdk.get({ variable: 'T', step })).bytes, patternBytes(BYTES, step))).toBeUndefined();
      }
      for (let step = round * 12; step < (round + 1) * 12; step++) {
        await sdk.put({ variable: 'T', step, data: patternBytes(BYTES, step) });
      }
      const steps = await sdk.listSteps({ variable: 'T' });
      expect(steps.map(({ step, partitions }) => [step, partitions])).toEqual(
        Array.from({ length: (round + 1) * 12 }, (_, step) => [step, 1]),
      );
    } finally {
      await sdk.close();
    }
    running.kill('SIGKILL');
    await running.waitExit();
    running = await up();
  }
}, 60_000);
