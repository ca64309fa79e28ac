import { setTimeout as sleep } from 'node:timers/promises';
import type { SteerBody, Tidegate } from '@tidegate/client';
import type { Crew } from './crew.js';
import type { DecisionWatch } from './decision-watch.js';
import { triggerNamesOf } from './definitions.js';
import { Helm, type Orders, stepBefore } from './helm.js';
import { WAIT_MS } from './job-process.js';
import { openProgress, type Progress } from './progress.js';
import type { ReaderJob, ReaderReport } from './reader.js';
import { runOf, type Simulation, title } from './simulation.js';
import { Tally, type Totals } from './tally.js';
import type { WriterJob, WriterReport } from './writer.js';

/** A bit that a writer got wrong. */
export interface InjectedError extends NonNullable<WriterReport['error']> {
  readonly step: number;
  readonly writer: number;
}

/** An error that a trigger made known, and where the run went on from. */
export interface CaughtError {
  readonly step: number;
  readonly toStep: number;
  readonly epoch: number;
  /** The check's value at that step. */
  readonly value: unknown;
}

/** What came of the writers and the reader of one simulation. */
export interface SteeredRun {
  readonly totals: Totals;
  readonly injected?: InjectedError;
  readonly caught: readonly CaughtError[];
}

/** With what a simulation is run. */
export interface SteeredRunOptions {
  readonly crew: Crew;
  readonly tide: Tidegate;
  readonly url: string;
  readonly watch: DecisionWatch;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
}

/** A process that stops without need, or too late, is a fault. */
const ORDERS_MS = 30_000;

/**
 * Runs the writers and the reader of a simulation to its end, as it is steered: on `pause` all of them stop, on `rollback`
 * the run is rolled back and they start again from the last step that stands, in the next epoch.
 *
 * @throws ProcessFailure; Error where the same step is caught again although it was computed anew
 */
export async function runSteered(simulation: Simulation, options: SteeredRunOptions): Promise<SteeredRun> {
  const { tide, watch, say } = options;
  const run = runOf(simulation);
  const detector = triggerNamesOf(simulation).silentError;
  const helm = new Helm((signal) => tide.steering(run, { signal }));
  const leg = new Leg(simulation, options);
  const caught: CaughtError[] = [];
  let after = -1;
  try {
    for (let epoch = 0; ; ) {
      const orders = helm.orders(epoch);
      await leg.run(after, orders);
      if (!orders.paused.aborted && (await passed(watch, detector, { step: simulation.steps, epoch }))) {
        const { totals, injected } = leg.outcome();
        return { totals, caught, ...(injected && { injected }) };
      }
      const steer = await rollbackOf(orders);
      const { step } = steer;
      if (caught.some((error) => error.step === step)) {
        throw new Error(`step ${step} of ${title(simulation)} was caught again after it was computed anew`);
      }
      after = stepBefore(steer);
      const reason = `${steer.trigger} fired at step ${step}`;
      ({ epoch } = await tide.rollback({ run, toStep: after, reason }));
      leg.rewind(after);
      const decision = watch.decisions(detector).find((one) => one.step === step && one.epoch === steer.epoch);
      caught.push({ step, toStep: after, epoch, value: decision?.values.d });
      say(`${title(simulation)}: step ${step}: silent error caught, paused, rolled back to ${after}, epoch ${epoch}`);
    }
  } finally {
    helm.close();
  }
}

/** Whether the detector let every step of an epoch pass, the last one included. */
async function passed(
  watch: DecisionWatch,
  detector: string,
  last: { readonly step: number; readonly epoch: number },
): Promise<boolean> {
  await watch.decided(detector, { ...last, timeoutMs: WAIT_MS });
  return !watch.decisions(detector).some(({ epoch, verdict }) => epoch === last.epoch && verdict === 'fired');
}

async function rollbackOf({ rollback }: Orders): Promise<SteerBody> {
  const given = new AbortController();
  const late = sleep(ORDERS_MS, undefined, { signal: given.signal }).then(() => {
    throw new Error(`expected to be rolled back within ${ORDERS_MS / 1000} s after the pause`);
  });
  late.catch(() => {});
  return Promise.race([rollback, late]).finally(() => given.abort());
}

/** The processes of one simulation, from one start to the next, and what they tell. */
class Leg {
  readonly #simulation: Simulation;
  readonly #options: SteeredRunOptions;
  readonly #tally: Tally;
  #injected: InjectedError | undefined;

  constructor(simulation: Simulation, options: SteeredRunOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.#tally = new Tally(simulation.writers);
  }

  /** Runs all to the end, or until they are told to pause; the first one that fails makes the whole fail at once. */
  async run(after: number, { paused }: Orders): Promise<void> {
    const { crew, url } = this.#options;
    const simulation = this.#simulation;
    const { steps, writers } = simulation;
    const progress = openProgress({ title: title(simulation), steps, total: (writers + 1) * (steps + 1) });
    progress.update(this.#tally.standing());
    const running = Array.from({ length: writers }, (_, writer) =>
      crew.run(`${title(simulation)} writer ${writer}`, {
        entry: 'writer',
        job: this.#writerJob(writer, after),
        onReport: (report: WriterReport) => this.#onWriter(writer, report, progress),
        stop: paused,
      }),
    );
    // It may be behind the step that the writers go on from.
    const job: ReaderJob = { url, simulation, after: this.#tally.lastRead };
    const onReport = (report: ReaderReport): void => {
      this.#tally.addReader(report);
      progress.update(this.#tally.standing());
    };
    running.push(crew.run(`${title(simulation)} reader`, { entry: 'reader', job, onReport, stop: paused }));
    try {
      await Promise.all(running);
    } finally {
      progress.stop();
    }
  }

  rewind(toStep: number): void {
    this.#tally.rewind(toStep);
  }

  outcome(): { readonly totals: Totals; readonly injected: InjectedError | undefined } {
    return { totals: this.#tally.totals(), injected: this.#injected };
  }

  #writerJob(writer: number, after: number): WriterJob {
    const { errorStep, writers } = this.#simulation;
    // A particle does not hit twice.
    const unlucky = errorStep !== undefined && this.#injected === undefined && writer === writers >> 1;
    return {
      url: this.#options.url,
      simulation: this.#simulation,
      writer,
      after,
      ...(unlucky && { errorStep }),
    };
  }

  #onWriter(writer: number, report: WriterReport, progress: Progress): void {
    const { step, error } = report;
    if (error) this.#injected = { ...error, step, writer };
    this.#tally.addWriter(writer, report);
    progress.update(this.#tally.standing());
  }
}
