import { sleep } from '@tidegate/bus';
import type { Box } from '@tidegate/geometry';
import type { DecidedSet } from '../decision-log/decided-set.js';
import type { EngineContext } from '../engine-context.js';
import type { Surveyor } from '../primaries/surveyor.js';
import type { RegisteredTrigger } from '../registry/registered-trigger.js';
import type { Arrivals } from './arrivals.js';
import { type Evaluation, evaluate } from './evaluation.js';
import { type Due, dueKey } from './ready-queue.js';
import type { RunEpochs } from './run-epochs.js';

export interface StepEvaluatorOptions {
  readonly context: EngineContext;
  readonly trigger: RegisteredTrigger;
  readonly run: string;
  readonly surveyor: Surveyor;
  readonly arrivals: Arrivals;
  readonly decided: DecidedSet;
  readonly signal: AbortSignal;
}

/** An evaluation that is under way, or done and not used yet. */
export interface PendingEvaluation {
  readonly epoch: number;
  readonly promise: Promise<Evaluation>;
}

/** Between two looks whether a rollback is through. */
const ROLLBACK_MS = 100;

/** Evaluates the steps of one run of a trigger, several at a time where its caller asks so, each once until it is used. */
export class StepEvaluator {
  readonly #options: StepEvaluatorOptions;
  readonly #pending = new Map<string, PendingEvaluation>();
  /** Settles when nothing of an earlier epoch is staged where it was superseded. */
  #clean: Promise<void> | undefined;

  constructor(options: StepEvaluatorOptions) {
    this.#options = options;
  }

  /** The evaluation of a step: the one under way, or one that begins now. */
  evaluate(due: Due, epochs: RunEpochs): PendingEvaluation {
    const key = dueKey(due);
    const epoch = epochs.epochOf(due.step);
    const known = this.#pending.get(key);
    if (known?.epoch === epoch) return known;
    const evaluation = { epoch, promise: this.#begin(due, epochs) };
    this.#pending.set(key, evaluation);
    const forget = (): void => {
      if (this.#pending.get(key) === evaluation) this.#pending.delete(key);
    };
    // One that failed, or found the step not covered, is of no more use than to who waits for it.
    evaluation.promise.then(({ covered }) => {
      if (!covered) forget();
    }, forget);
    return evaluation;
  }

  /** The evaluation was used. */
  used(due: Due): void {
    this.#pending.delete(dueKey(due));
  }

  /** Steps changed their epochs. */
  rolledBack(): void {
    this.#pending.clear();
    this.#clean = undefined;
  }

  async #begin(due: Due, epochs: RunEpochs): Promise<Evaluation> {
    const { context, trigger, run, arrivals, decided, signal } = this.#options;
    const { root, byPartition } = trigger;
    const epoch = epochs.epochOf(due.step);
    if (epoch > 0) await this.#superseded(epochs);
    const asked = byPartition ? undefined : arrivals.ask(due.step);
    const previousStep = root.readsPrevious ? decided.below(due.step, epochs) : undefined;
    let missing: readonly Box[] | undefined;
    try {
      const evaluation = await evaluate(context, { trigger, node: root, run, due, epoch, previousStep, signal });
      if (!evaluation.covered && !evaluation.gone) missing = evaluation.missing;
      return evaluation;
    } finally {
      if (asked) arrivals.answer(asked, missing);
    }
  }

  /** Returns when what rollbacks superseded is gone: until then a plan may show it. */
  #superseded(epochs: RunEpochs): Promise<void> {
    this.#clean ??= this.#untilClean(epochs).catch((error: unknown) => {
      this.#clean = undefined;
      throw error;
    });
    return this.#clean;
  }

  async #untilClean({ segments }: RunEpochs): Promise<void> {
    const { surveyor, trigger, run, signal } = this.#options;
    for (const segment of segments) {
      if (segment.epoch === 0) continue;
      while (await surveyor.superseded(trigger.variable, run, segment)) await sleep(ROLLBACK_MS, signal);
    }
  }
}
