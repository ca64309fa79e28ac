import { performance } from 'node:perf_hooks';
import { copyBox, extractBox } from '@tidegate/array';
import type { Tidegate } from '@tidegate/client';
import { type Box, boxOfShape, formatBox, volume } from '@tidegate/geometry';
import { type SeededRandom, seededRandom } from '@tidegate/testing';
import { decompose } from './decompose.js';
import { type Job, runJob, WAIT_MS } from './job-process.js';
import { variablesOf } from './simulation.js';

/** Told after every step. Times in milliseconds. */
export interface ReaderReport {
  readonly step: number;
  readonly getBytes: number;
  /** Time in which gets were under way. */
  readonly getMs: number;
  /** Of each get by itself. */
  readonly getsMs: readonly number[];
}

// A process of the demo: follows V step by step and reads the domain in blocks of its own, which are not the writers',
// and then any box, whose cells must be the same as those in the blocks.
await runJob<Job, ReaderReport>(async (tide, { simulation }, report) => {
  const { shape, steps, seed, writers } = simulation;
  const variable = variablesOf(simulation).v;
  const domain = boxOfShape(shape);
  const blocks = decompose(shape, Math.min(writers + 1, volume(domain)));
  const random = seededRandom(seed);
  let last = -1;
  for await (const step of tide.steps({ variable, waitMs: WAIT_MS })) {
    const whole = new Uint8Array(8 * volume(domain));
    const start = performance.now();
    const parts = await Promise.all(blocks.map((box) => timedGet(tide, { variable, step, box })));
    const blocksMs = performance.now() - start;
    for (const { box, bytes } of parts) {
      copyBox({ source: bytes, sourceBox: box, target: whole, targetBox: domain, box, itemSize: 8 });
    }
    const some = await timedGet(tide, { variable, step, box: randomBox(shape, random) });
    if (Buffer.compare(some.bytes, extractBox(whole, domain, some.box, 8)) !== 0) {
      throw new Error(
        `step ${step} of ${variable}: box ${formatBox(some.box)} differs from the same cells in the whole`,
      );
    }
    await report({
      step,
      getBytes: whole.length + some.bytes.length,
      getMs: blocksMs + some.ms,
      getsMs: [...parts, some].map(({ ms }) => ms),
    });
    last = step;
    if (step === steps) break;
  }
  if (last !== steps) throw new Error(`expected step ${steps} of ${variable}, but after step ${last} none came`);
});

async function timedGet(
  tide: Tidegate,
  region: { readonly variable: string; readonly step: number; readonly box: Box },
): Promise<{ readonly box: Box; readonly bytes: Uint8Array; readonly ms: number }> {
  const start = performance.now();
  const { bytes } = await tide.get({ ...region, waitMs: WAIT_MS });
  return { box: region.box, bytes, ms: performance.now() - start };
}

function randomBox(shape: readonly number[], random: SeededRandom): Box {
  const lower = shape.map((length) => random.int(0, length));
  return { lower, upper: shape.map((length, d) => random.int((lower[d] ?? 0) + 1, length + 1)) };
}
