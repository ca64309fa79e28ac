import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StepReply, Tidegate } from '@tidegate/client';
import type { CheckerJob, CheckerReport } from './checker.js';
import type { Crew } from './crew.js';
import { DecisionWatch } from './decision-watch.js';
import { triggerNamesOf, triggersOf } from './definitions.js';
import { watchMemory } from './memory-peak.js';
import type { Renderings } from './renderings.js';
import { runOf, type Simulation, title, variablesOf } from './simulation.js';
import { runSteered, type SteeredRun } from './steered-run.js';
import type { Totals } from './tally.js';
import type { TriggerOutcome } from './trigger-report.js';

/** What came of one simulation. */
export interface Outcome {
  readonly simulation: Simulation;
  readonly totals: Totals;
  /** From the first process started to the last one ended. */
  readonly elapsedMs: number;
  /** Steps of V whose partitions are on the disk. */
  readonly spilledSteps: number;
  /** Most bytes that this simulation had in the memory tier. */
  readonly peakMemoryBytes: number;
  readonly checks: readonly Check[];
  readonly triggers: TriggerOutcome;
}

/** A step compared with the serial run. */
export interface Check extends CheckerReport {
  readonly tier: StepReply['tier'];
}

/** How long spilling may lag behind the last step. */
const SETTLE_MS = 10_000;
const ASK_MS = 100;
/** How long pictures may take beyond the last step. */
const PICTURES_MS = 60_000;

/** Where a simulation is staged, and how. */
export interface StageOptions {
  readonly crew: Crew;
  readonly tide: Tidegate;
  /** The NATS server that `tide` is connected to. */
  readonly url: string;
  readonly renderings: Renderings;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
}

/**
 * Declares the variables and the triggers of a simulation, runs its writers and its reader, and compares what is staged in
 * the end.
 */
export async function stage(simulation: Simulation, options: StageOptions): Promise<Outcome> {
  const { crew, tide, url, renderings, say } = options;
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
  const watch = await watchTriggers(tide, simulation);
  const start = performance.now();
  let elapsedMs: number;
  let steered: SteeredRun;
  try {
    steered = await runSteered(simulation, { crew, tide, url, watch, say });
    elapsedMs = performance.now() - start;
    await triggersDone(simulation, { watch, renderings, epoch: steered.caught.at(-1)?.epoch ?? 0 });
  } finally {
    memory.stop();
    watch.close();
  }
  const { totals, caught, injected } = steered;

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
    spilledSteps: spilled.length,
    peakMemoryBytes: memory.peakBytes(),
    checks,
    triggers: {
      tallies: watch.tallies(),
      pictured: renderings.steps(runOf(simulation)),
      caught,
      ...(injected && { injected }),
    },
  };
}

/** Follows the decisions of the triggers of a simulation, which are there from now on. */
async function watchTriggers(tide: Tidegate, simulation: Simulation): Promise<DecisionWatch> {
  for (const definition of triggersOf(simulation)) await tide.triggers.register(definition);
  const run = runOf(simulation);
  return new DecisionWatch(Object.values(triggerNamesOf(simulation)), (name, signal) =>
    tide.triggers.followDecisions({ name, run, signal }),
  );
}

/** Waits until all triggers have decided the last step, and the pictures that they asked for are made. */
async function triggersDone(
  simulation: Simulation,
  { watch, renderings, epoch }: { watch: DecisionWatch; renderings: Renderings; epoch: number },
): Promise<void> {
  const { gate, blobs, dense } = triggerNamesOf(simulation);
  const last = { step: simulation.steps, epoch, timeoutMs: SETTLE_MS };
  await Promise.all([gate, dense].map((name) => watch.decided(name, last)));
  for (const { verdict, step, epoch } of watch.decisions(gate)) {
    if (verdict === 'fired') await watch.decided(blobs, { step, epoch, timeoutMs: SETTLE_MS });
  }
  const asked = watch.decisions(blobs).filter(({ verdict }) => verdict === 'fired').length;
  await renderings.done(runOf(simulation), asked, PICTURES_MS);
}

/** The staged steps of V, once those beyond the window have left the memory tier. */
async function settled(tide: Tidegate, simulation: Simulation): Promise<readonly StepReply[]> {
  const variable = variablesOf(simulation).v;
  const expected = simulation.steps + 1 - simulation.window;
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const steps = await tide.listSteps({ variable, run: runOf(simulation) });
    const spilled = steps.filter(({ tier }) => tier === 'disk').length;
    if (spilled >= expected || performance.now() > deadline) return steps;
    await sleep(ASK_MS);
  }
}
