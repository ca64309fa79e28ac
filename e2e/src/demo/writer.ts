import { performance } from 'node:perf_hooks';
import type { Tidegate } from '@tidegate/client';
import { type Box, contains, shapeOf, volume } from '@tidegate/geometry';
import { type BitFlip, flipExponentBit } from './bit-flip.js';
import { decompose } from './decompose.js';
import { advance, cutField } from './gray-scott.js';
import { haloBoxes, sourceBoxes } from './halo.js';
import { type Field, initialField } from './initial-field.js';
import { type Job, runJob, WAIT_MS } from './job-process.js';
import { bytesOf, paramsOf, runOf, type Simulation, SKEW, variablesOf } from './simulation.js';

/** One of the writers, which owns one box of the domain. */
export interface WriterJob extends Job {
  /** 0 … writers - 1. */
  readonly writer: number;
  /** The staged step to go on from, -1 for the start. */
  readonly after: number;
  /** Step at which this writer gets a bit wrong. */
  readonly errorStep?: number;
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
  /** What went wrong at this step, with the cell's place in the domain; nobody but the demo's own report is told. */
  readonly error?: BitFlip & { readonly cell: readonly number[] };
}

// A process of the demo: advances its box of the simulation. All it knows of its neighbours are their staged cells.
await runJob<WriterJob, WriterReport>(async (tide, { simulation, writer, after, errorStep }, report, stopped) => {
  const { shape, steps, substeps, seed, writers } = simulation;
  const box = decompose(shape, writers, SKEW)[writer] as Box;
  const variables = variablesOf(simulation);
  const run = runOf(simulation);
  const params = paramsOf(simulation);
  const frame = haloBoxes(box, shape, substeps);
  const sources = sourceBoxes(frame, box);
  const haloBytes = 2 * 8 * sources.reduce((cells, source) => cells + volume(source), 0);

  const getField = fieldGetter(tide, simulation, stopped);
  let field: Field;
  if (after < 0) {
    field = initialField({ shape, seed, box });
    await stage(0);
  } else field = await getField(after, box);
  for (let step = Math.max(after, 0) + 1; step <= steps && !stopped.aborted; step++) {
    const got = await Promise.all(sources.map((source) => getField(step - 1, source)));
    const known = [...got, { box, ...field }];
    const halos = frame.map(({ box: cells, place }) => {
      const source = known.find((part) => contains(part.box, cells)) as PlacedField;
      return { place, ...cutField(source, source.box, cells) };
    });
    field = advance({ box, ...field, halos, params, substeps });
    const flip = step === errorStep ? flipExponentBit(field.v) : undefined;
    await stage(step, flip && { ...flip, cell: cellAt(flip.index, box) });
  }

  // Puts are never given up, so that none is under way when this process has stopped.
  async function stage(step: number, error?: WriterReport['error']): Promise<void> {
    const start = performance.now();
    const putsMs = await Promise.all(
      (['u', 'v'] as const).map(async (species) => {
        await tide.put({ variable: variables[species], run, step, box, data: field[species] });
        return performance.now() - start;
      }),
    );
    const putMs = performance.now() - start;
    const putBytes = field.u.byteLength + field.v.byteLength;
    await report({ step, putBytes, putMs, putsMs, haloBytes: step > 0 ? haloBytes : 0, ...(error && { error }) });
  }
});

/** Cells of both species with the box that they fill. */
interface PlacedField extends Field {
  readonly box: Box;
}

/** Gets both species of a box as soon as the neighbours have staged the step: there is no other barrier. */
function fieldGetter(
  tide: Tidegate,
  simulation: Simulation,
  signal: AbortSignal,
): (step: number, box: Box) => Promise<PlacedField> {
  const run = runOf(simulation);
  const variables = variablesOf(simulation);
  return async (step, box) => {
    const field = { box, u: new Float64Array(volume(box)), v: new Float64Array(volume(box)) };
    await Promise.all(
      (['u', 'v'] as const).map((species) => {
        const region = { variable: variables[species], run, step, box };
        return tide.get({ ...region, waitMs: WAIT_MS, into: bytesOf(field[species]), signal });
      }),
    );
    return field;
  };
}

/** The place in the domain of the cell that a packed array over `box` has at `index`. */
function cellAt(index: number, box: Box): readonly number[] {
  const cell = [...box.lower];
  let rest = index;
  for (const [d, length] of [...shapeOf(box).entries()].reverse()) {
    cell[d] = (box.lower[d] as number) + (rest % length);
    rest = Math.floor(rest / length);
  }
  return cell;
}
