import { performance } from 'node:perf_hooks';
import type { Tidegate } from '@tidegate/client';
import { type Box, volume } from '@tidegate/geometry';
import { decompose } from './decompose.js';
import { advance, type HaloField } from './gray-scott.js';
import { type HaloBox, haloBoxes } from './halo.js';
import { type Field, initialField } from './initial-field.js';
import { type Job, runJob, WAIT_MS } from './job-process.js';
import { bytesOf, paramsOf, SKEW, variablesOf } from './simulation.js';

/** One of the writers, which owns one box of the domain. */
export interface WriterJob extends Job {
  /** 0 … writers - 1. */
  readonly writer: number;
}

/** Told after every step. Times in milliseconds. */
export interface WriterReport {
  readonly step: number;
  readonly putBytes: number;
  /** From the first put of the step to the last acknowledgement. */
  readonly putMs: number;
  /** Of each put by itself. */
  readonly putsMs: readonly number[];
  readonly haloBytes: number;
}

// A process of the demo: advances its box of the simulation. All it knows of its neighbours are their staged cells.
await runJob<WriterJob, WriterReport>(async (tide, { simulation, writer }, report) => {
  const { shape, steps, substeps, seed, writers } = simulation;
  const box = decompose(shape, writers, SKEW)[writer] as Box;
  const variables = variablesOf(simulation);
  const params = paramsOf(simulation);
  const frame = haloBoxes(box, shape, substeps);
  const haloBytes = 2 * 8 * frame.reduce((cells, halo) => cells + volume(halo.box), 0);

  let field = initialField({ shape, seed, box });
  await stage(0);
  for (let step = 1; step <= steps; step++) {
    const halos = await Promise.all(frame.map((halo) => getHalo(tide, variables, step - 1, halo)));
    field = advance({ box, ...field, halos, params, substeps });
    await stage(step);
  }

  async function stage(step: number): Promise<void> {
    const start = performance.now();
    const putsMs = await Promise.all(
      (['u', 'v'] as const).map(async (species) => {
        await tide.put({ variable: variables[species], step, box, data: field[species] });
        return performance.now() - start;
      }),
    );
    const putMs = performance.now() - start;
    const putBytes = field.u.byteLength + field.v.byteLength;
    await report({ step, putBytes, putMs, putsMs, haloBytes: step > 0 ? haloBytes : 0 });
  }
});

/** Both species of one part of the frame, as soon as the neighbours have staged the step: there is no other barrier. */
async function getHalo(
  tide: Tidegate,
  variables: { readonly u: string; readonly v: string },
  step: number,
  { box, place }: HaloBox,
): Promise<HaloField> {
  const field: Field = { u: new Float64Array(volume(box)), v: new Float64Array(volume(box)) };
  await Promise.all(
    (['u', 'v'] as const).map((species) =>
      tide.get({ variable: variables[species], step, box, waitMs: WAIT_MS, into: bytesOf(field[species]) }),
    ),
  );
  return { ...field, place };
}
