import { boxOfShape, volume } from '@tidegate/geometry';
import { serialRun } from './gray-scott.js';
import { type Job, runJob } from './job-process.js';
import { bytesOf, paramsOf, runOf, variablesOf } from './simulation.js';

/** Compares staged steps with a run of the whole domain as one box in one process. */
export interface CheckerJob extends Job {
  /** Steps to compare, rising. */
  readonly compare: readonly number[];
}

/** Told after every compared step. */
export interface CheckerReport {
  readonly step: number;
  /** Whether both species are the same bit for bit. */
  readonly equal: boolean;
  /** Cells of U and V that are not. */
  readonly differing: number;
}

await runJob<CheckerJob, CheckerReport>(async (tide, { simulation, compare }, report) => {
  const { shape, seed, substeps } = simulation;
  const variables = variablesOf(simulation);
  for (const step of compare) {
    const expected = serialRun({ shape, seed, steps: step * substeps, params: paramsOf(simulation) });
    let differing = 0;
    for (const species of ['u', 'v'] as const) {
      const cells = new Float64Array(volume(boxOfShape(shape)));
      await tide.get({ variable: variables[species], run: runOf(simulation), step, into: bytesOf(cells) });
      differing += differingWords(cells, expected[species]);
    }
    await report({ step, equal: differing === 0, differing });
  }
});

/** How many numbers are not the same 64 bits. */
function differingWords(a: Float64Array, b: Float64Array): number {
  const left = new BigInt64Array(a.buffer, a.byteOffset, a.length);
  const right = new BigInt64Array(b.buffer, b.byteOffset, b.length);
  let count = 0;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) count++;
  return count;
}
