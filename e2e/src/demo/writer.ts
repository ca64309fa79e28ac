import { performance } from 'node:perf_hooks';
import type { Tidegate } from '@tidegate/client';
import { type Box, contains, volume } from '@tidegate/geometry';
import { decompose } from './decompose.js';
import { advance, cutField } from './gray-scott.js';
import { haloBoxes, sourceBoxes } from './halo.js';
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
  const sources = sourceBoxes(frame, box);
  const haloBytes = 2 * 8 * sources.reduce((cells, source) => cells + volume(source), 0);

  let field = initialField({ shape, seed, box });
  await stage(0);
  for (let step = 1; step <= steps; step++) {
    const got = await Promise.all(sources.map((source) => getField(tide, variables, step - 1, source)));
    const known = [...got, { box, ...field }];
    const halos = frame.map(({ box: cells, place }) => {
      const source = known.find((part) => contains(part.box, cells)) as PlacedField;
      return { place, ...cutField(source, source.box, cells) };
    });
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

/** Cells of both species with the box that they fill. */
interface PlacedField extends Field {
  readonly box: Box;
}

/** Gets both species of a box as soon as the neighbours have staged the step: there is no other barrier. */
async function getField(
  tide: Tidegate,
  variables: { readonly u: string; readonly v: string },
  step: number,
  box: Box,
): Promise<PlacedField> {
  const field = { box, u: new Float64Array(volume(box)), v: new Float64Array(volume(box)) };
  await Promise.all(
    (['u', 'v'] as const).map((species) =>
      tide.get({ variable: variables[species], step, box, waitMs: WAIT_MS, into: bytesOf(field[species]) }),
    ),
  );
  return field;
}
