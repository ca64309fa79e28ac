import { performance } from 'node:perf_hooks';
import { copyBox, extractBox } from '@tidegate/array';
import { type Box, boxOfShape, formatBox, volume } from '@tidegate/geometry';
import { type SeededRandom, seededRandom } from '@tidegate/testing';
import { decompose } from './decompose.js';
import { type Job, runJob, WAIT_MS } from './job-process.js';
import { runOf, variablesOf } from './simulation.js';

/** Told after every step. Times in milliseconds. */
export interface ReaderReport {
  readonly step: number;
  readonly getBytes: number;
  /** Time in which gets were under way. */
  readonly getMs: number;
  /** Of each get by itself. */
  readonly getsMs: readonly number[];
}

/** Follows the steps above one. */
export interface ReaderJob extends Job {
  /** -1 for all of them. */
  readonly after: number;
}

// A process of the demo: follows V step by step and reads the domain in blocks of its own, which are not the writers',
// and then any box, whose cells must be the same as those in the blocks.
await runJob<ReaderJob, ReaderReport>(async (tide, { simulation, after }, report, stopped) => {
  const { shape, steps, seed, writers } = simulation;
  const variable = variablesOf(simulation).v;
  const domain = boxOfShape(shape);
  const blocks = decompose(shape, Math.min(writers + 1, volume(domain)));
  const random = seededRandom(seed);
  const run = runOf(simulation);
  const get = async (step: number, box: Box): Promise<TimedGet> => {
    const start = performance.now();
    const { bytes } = await tide.get({ variable, run, step, box, waitMs: WAIT_MS, signal: stopped });
    return { box, bytes, ms: performance.now() - start };
  };
  if (after >= steps) return;
  let last = after;
  for await (const step of tide.steps({ variable, run, after, waitMs: WAIT_MS, signal: stopped })) {
    const whole = new Uint8Array(8 * volume(domain));
    const start = performance.now();
    const parts = await Promise.all(blocks.map((box) => get(step, box)));
    const blocksMs = performance.now() - start;
    for (const { box, bytes } of parts) {
      copyBox({ source: bytes, sourceBox: box, target: whole, targetBox: domain, box, itemSize: 8 });
    }
    const some = await get(step, randomBox(shape, random));
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

interface TimedGet {
  readonly box: Box;
  readonly bytes: Uint8Array;
  readonly ms: number;
}

function randomBox(shape: readonly number[], random: SeededRandom): Box {
  const lower = shape.map((length) => random.int(0, length));
  return { lower, upper: shape.map((length, d) => random.int((lower[d] ?? 0) + 1, length + 1)) };
}
