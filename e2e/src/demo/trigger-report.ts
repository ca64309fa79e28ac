import { type Column, tableLines } from 'tidegate';
import type { TriggerTally } from './decision-watch.js';
import { triggerNamesOf } from './definitions.js';
import { blobPictureName } from './pictures.js';
import { type Simulation, title } from './simulation.js';
import type { CaughtError, InjectedError } from './steered-run.js';

/** What the triggers of one simulation did. */
export interface TriggerOutcome {
  readonly tallies: readonly TriggerTally[];
  /** Steps of which the blobs were drawn. */
  readonly pictured: readonly number[];
  readonly injected?: InjectedError;
  readonly caught: readonly CaughtError[];
}

type Reported = { readonly simulation: Simulation; readonly triggers: TriggerOutcome };

interface Row extends TriggerTally {
  readonly did: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'trigger', value: ({ name }) => name },
  { title: 'decided', value: ({ decided }) => decided, align: 'right' },
  { title: 'fired', value: ({ fired }) => fired, align: 'right' },
  { title: 'first at step', value: ({ firstFired }) => firstFired ?? '-', align: 'right' },
  { title: 'what it did', value: ({ did }) => did },
];

/**
 * The section about triggers, as lines of text.
 *
 * @param folder of the pictures, as people are to read it
 */
export function triggerLines(outcomes: readonly Reported[], folder: string): string[] {
  const rows = outcomes.flatMap((outcome) =>
    outcome.triggers.tallies.map((tally): Row => ({ ...tally, did: didOf(tally, outcome, folder) })),
  );
  return [...tableLines(COLUMNS, rows), ...outcomes.flatMap(errorLines)];
}

/** Whether the triggers caught the error that there was, once, and nothing else. */
export function onlyTheErrorWasCaught({ injected, caught }: TriggerOutcome): boolean {
  const expected = injected ? [injected.step] : [];
  return caught.length === expected.length && caught.every(({ step }, at) => step === expected[at]);
}

function didOf({ name, fired }: TriggerTally, { simulation, triggers }: Reported, folder: string): string {
  if (fired === 0) return 'nothing';
  const names = triggerNamesOf(simulation);
  switch (name) {
    case names.gate:
      return 'had the blobs counted';
    case names.blobs:
      return pictures(simulation, triggers.pictured, folder);
    case names.silentError:
      return 'paused the run, rolled it back';
    default:
      return 'sent an event';
  }
}

function pictures({ shape }: Simulation, steps: readonly number[], folder: string): string {
  const [first] = steps;
  if (first === undefined) return 'nothing';
  const names = [first, steps.at(-1) ?? first].map((step) => blobPictureName(shape.length, step));
  const path = `${folder}/${names[0]}`;
  return steps.length === 1 ? `a picture, ${path}` : `${steps.length} pictures, ${path} … ${names[1]}`;
}

function errorLines({ simulation, triggers: { injected, caught } }: Reported): string[] {
  const lines: string[] = [];
  if (injected) {
    const { step, writer, bit, cell, before, after } = injected;
    lines.push(
      `${title(simulation)}: writer ${writer} got bit ${bit} of V(${cell.join(', ')}) wrong at step ${step}: ${before.toFixed(3)} became ${after.toFixed(3)}`,
    );
  }
  for (const { step, value, epoch, toStep } of caught) {
    const changed = typeof value === 'number' ? `, where V changed by ${value.toFixed(3)}` : '';
    lines.push(`${title(simulation)}: caught at step ${step}${changed}; steps above ${toStep} are of epoch ${epoch}`);
  }
  return lines;
}
