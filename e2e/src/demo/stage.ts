import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StepReply, Tidegate } from '@tidegate/client';
import type { CheckerJob, CheckerReport } from './checker.js';
import type { Crew } from './crew.js';
import type { Job } from './job-process.js';
import { watchMemory } from './memory-peak.js';
import { openProgress } from './progress.js';
import type { ReaderReport } from './reader.js';
import { type Simulation, title, variablesOf } from './simulation.js';
import { Tally, type Totals } from './tally.js';
import type { WriterJob, WriterReport } from './writer.js';

/** What came of one simulation. */
export interface Outcome {
  readonly simulation: Simulation;
  readonly totals: Totals;
  /** From the first process started to the last one ended. */
  readonly elapsedMs: number;
  readonly partitions: number;
  /** Steps of V whose partitions are on the disk. */
  readonly spilledSteps: number;
  /** Most bytes that this simulation had in the memory tier. */
  readonly peakMemoryBytes: number;
  readonly checks: readonly Check[];
}

/** A step compared with the serial run. */
export interface Check extends CheckerReport {
  readonly tier: StepReply['tier'];
}

/** How long spilling may lag behind the last step. */
const SETTLE_MS = 10_000;
const ASK_MS = 100;

/** Where a simulation is staged, and how. */
export interface StageOptions {
  readonly crew: Crew;
  readonly tide: Tidegate;
  /** The NATS server that `tide` is connected to. */
  readonly url: string;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
}

/** Declares the variables of a simulation, runs its writers and its reader, and compares what is staged in the end. */
export async function stage(simulation: Simulation, { crew, tide, url, say }: StageOptions): Promise<Outcome> {
  const { shape, steps, substeps, window, writers } = simulation;
  const variables = variablesOf(simulation);
  const who = writers === 1 ? '1 writer stages' : `${writers} writers stage`;
  say(
    `${who} ${variables.u} and ${variables.v}: ${steps} steps of ${substeps} Euler steps, of which ${window} stay in memory.`,
  );
  for (const name of [variables.u, variables.v]) {
    await tide.declare({ name, dtype: 'float64', shape: [...shape], window, onEvict: 'spill' });
  }
  const memory = await watchMemory(tide);
  const start = performance.now();
  const totals = await runProcesses(crew, url, simulation).finally(() => memory.stop());
  const elapsedMs = performance.now() - start;

  const spilled = (await settled(tide, simulation)).filter(({ tier }) => tier === 'disk').map(({ step }) => step);
  // The start is no work of the writers, so the first step after it tells more.
  const early = spilled.find((step) => step > 0);
  const compare = [...new Set([...(early === undefined ? [] : [early]), steps])];
  const checks: Check[] = [];
  say(`Comparing steps ${compare.join(' and ')} with a run in one process.`);
  const job: CheckerJob = { url, simulation, compare };
  await crew.run(`${title(simulation)} check`, {
    entry: 'checker',
    job,
    onReport: (report: CheckerReport) =>
      checks.push({ ...report, tier: spilled.includes(report.step) ? 'disk' : 'memory' }),
  });
  return {
    simulation,
    totals,
    elapsedMs,
    partitions: 2 * writers * (steps + 1),
    spilledSteps: spilled.length,
    peakMemoryBytes: memory.peakBytes(),
    checks,
  };
}

/** Runs the writers and the reader; the first one that fails makes the whole fail at once. */
async function runProcesses(crew: Crew, url: string, simulation: Simulation): Promise<Totals> {
  const { steps, writers } = simulation;
  const tally = new Tally(writers);
  const total = (writers + 1) * (steps + 1);
  const progress = openProgress({ title: title(simulation), steps, total });
  const running = Array.from({ length: writers }, (_, writer) => {
    const job: WriterJob = { url, simulation, writer };
    return crew.run(`${title(simulation)} writer ${writer}`, {
      entry: 'writer',
      job,
      onReport: (report: WriterReport) => {
        tally.addWriter(writer, report);
        progress.update(tally.standing());
      },
    });
  });
  const job: Job = { url, simulation };
  running.push(
    crew.run(`${title(simulation)} reader`, {
      entry: 'reader',
      job,
      onReport: (report: ReaderReport) => {
        tally.addReader(report);
        progress.update(tally.standing());
      },
    }),
  );
  try {
    await Promise.all(running);
  } finally {
    progress.stop();
  }
  return tally.totals();
}

/** The staged steps of V, once those beyond the window have left the memory tier. */
async function settled(tide: Tidegate, simulation: Simulation): Promise<readonly StepReply[]> {
  const variable = variablesOf(simulation).v;
  const expected = simulation.steps + 1 - simulation.window;
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const steps = await tide.listSteps({ variable });
    const spilled = steps.filter(({ tier }) => tier === 'disk').length;
    if (spilled >= expected || performance.now() > deadline) return steps;
    await sleep(ASK_MS);
  }
}
