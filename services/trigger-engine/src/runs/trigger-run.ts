import { monotonicNow } from '@tidegate/bus';
import { type Box, parseBox } from '@tidegate/geometry';
import { appliesTo, type PointerMessage, type RunRecord } from '@tidegate/protocol';
import { RunLog } from '../decision-log/run-log.js';
import type { EngineContext } from '../engine-context.js';
import { planStep } from '../measure/index.js';
import type { Surveyor } from '../primaries/surveyor.js';
import type { RegisteredTrigger } from '../registry/registered-trigger.js';
import { Arrivals } from './arrivals.js';
import { addressOf, type Evaluated } from './evaluation.js';
import { heldUntil } from './hold-back.js';
import type { Due } from './ready-queue.js';
import { RunEpochs } from './run-epochs.js';
import { StepEvaluator } from './step-evaluator.js';
import { TreeDecider } from './tree-decider.js';
import { LeaseLostError, untilDone } from './until-done.js';

export interface TriggerRunOptions {
  readonly context: EngineContext;
  readonly trigger: RegisteredTrigger;
  readonly run: string;
  readonly surveyor: Surveyor;
  /** Whether this engine owns the primary at this moment. */
  readonly holds: () => boolean;
  /** Where the log was read already. */
  readonly log?: RunLog | undefined;
}

/** Steps whose checks are computed at a time, where none of them needs the decision on another. */
const AHEAD = 4;
/** Steps of which the shards are asked at a time what is missing. */
const ASKING = 8;

/**
 * Decides the steps of one run for one trigger: counts what arrives, evaluates what is covered, commits one decision after
 * the other, each when the actions of the one before are done. Different runs and triggers do not wait for each other.
 */
export class TriggerRun {
  readonly run: string;
  readonly #options: TriggerRunOptions;
  readonly #arrivals: Arrivals;
  readonly #log: RunLog;
  readonly #decider: TreeDecider;
  readonly #stopped = new AbortController();
  readonly #evaluator: StepEvaluator;
  #epochs: RunEpochs;
  #loaded = false;
  /** Surveys that are wanted, and that are done. */
  #wanted = 1;
  #surveys = 0;
  #asking = 0;
  /** The step whose decision is made and whose actions, which may need its data, are not done. */
  #settling: number | undefined;
  #again = false;
  #working: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #settled = new Set<() => void>();
  /** Monotonic milliseconds. */
  usedAt = monotonicNow();

  constructor(options: TriggerRunOptions) {
    const { context, trigger, run, holds, log } = options;
    const { box, byPartition, record, root } = trigger;
    this.run = run;
    this.#options = options;
    this.#arrivals = new Arrivals({ box, byPartition, now: monotonicNow });
    this.#log = log ?? new RunLog(context.bus, { root: root.name, generation: record.generation, run });
    this.#epochs = this.#epochsOf(context.state.runs.cache.get(run));
    const { signal } = this.#stopped;
    this.#evaluator = new StepEvaluator({
      context,
      trigger,
      run,
      surveyor: options.surveyor,
      arrivals: this.#arrivals,
      decided: this.#log.decided,
      signal,
    });
    this.#decider = new TreeDecider({
      context,
      trigger,
      log: this.#log,
      epochs: () => this.#epochs,
      holds,
      signal,
    });
    this.#wake();
  }

  /** Nothing is under way or waiting for more to arrive: it can go, and be made anew. */
  get idle(): boolean {
    return this.#working === undefined && !this.#again && this.#arrivals.empty && this.#asking === 0;
  }

  /** The newest epoch of the run that is known here. */
  get epoch(): number {
    return this.#epochs.newest;
  }

  /** A partition was indexed. */
  pointed(pointer: PointerMessage): void {
    const { step, epoch, id, raw, bytes } = pointer;
    this.usedAt = monotonicNow();
    if (!appliesTo(this.#options.trigger.root.scope, this.run, step) || epoch < this.#epochs.epochOf(step)) return;
    const arrival = { step, id, raw, bytes, box: parseBox(pointer.box) };
    if (this.#isDecided({ step, partition: arrival })) return;
    this.#arrivals.arrive(arrival);
    this.#wake();
  }

  /** Some pointers may not have come: asks the shards what there is. */
  backfill(): void {
    this.#wanted++;
    this.#arrivals.lostTrack();
    this.#wake();
  }

  /** The run was rolled back. */
  rolledBack(record: RunRecord | undefined): void {
    const later = this.#epochsOf(record);
    const first = this.#epochs.firstChanged(later);
    this.#epochs = later;
    if (first === undefined) return;
    this.#evaluator.rolledBack();
    this.#arrivals.rollBack(first - 1);
    this.#wake();
  }

  /**
   * Those of the steps whose data is still needed: covered and not decided yet; or decided, but the actions of that are not
   * done; or what the next decision compares with. Undefined while it does not know.
   */
  undecided(steps: readonly number[]): readonly number[] | undefined {
    this.usedAt = monotonicNow();
    if (!this.#loaded || this.#surveys < this.#wanted) return undefined;
    const { scope } = this.#options.trigger.root;
    const compared = this.#compared();
    return steps.filter((step) => {
      if (!appliesTo(scope, this.run, step)) return false;
      return step === this.#settling || compared.has(step) || this.#arrivals.mayDecide(step);
    });
  }

  /** Returns when it has read its log and asked the shards. @throws the signal's reason */
  ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!signal.aborted && (!this.#loaded || this.#surveys < this.#wanted)) return;
        this.#settled.delete(look);
        signal.removeEventListener('abort', look);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      this.#settled.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  /** Ends at once; returns when nothing is under way any more. */
  async stop(reason: Error): Promise<void> {
    this.#stopped.abort(reason);
    clearTimeout(this.#timer);
    await this.#working;
  }

  #epochsOf(record: RunRecord | undefined): RunEpochs {
    return new RunEpochs(record, this.#options.trigger.variable.record.name);
  }

  /** The steps that the next decisions compare with. */
  #compared(): ReadonlySet<number | undefined> {
    const { nodes, root } = this.#options.trigger;
    const compared = new Set<number | undefined>();
    for (const node of nodes.values()) {
      if (!node.readsPrevious) continue;
      const newest =
        node === root
          ? this.#log.decided.below(Number.MAX_SAFE_INTEGER, this.#epochs)
          : this.#log.of(node.name).head?.step;
      compared.add(newest);
    }
    return compared;
  }

  #isDecided({ step, partition }: Due): boolean {
    const epoch = this.#epochs.epochOf(step);
    const alone = this.#options.trigger.byPartition && partition ? { partition: partition.id } : {};
    return this.#log.decided.has({ step, epoch, ...alone });
  }

  /** Works until nothing is left to do. */
  #wake(): void {
    this.#again = true;
    const { signal } = this.#stopped;
    if (this.#working || signal.aborted) return;
    this.#working = this.#work()
      .catch((error: unknown) => {
        this.#again = false;
        if (signal.aborted || error instanceof LeaseLostError) return;
        const { context, trigger } = this.#options;
        context.logger.error({ err: error, trigger: trigger.root.name, run: this.run }, 'a run of a trigger broke off');
      })
      .finally(() => {
        this.#working = undefined;
        if (this.#again) this.#wake();
      });
  }

  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      if (!this.#loaded) await this.#patiently('reading a decision log', () => this.#load());
      while (this.#surveys < this.#wanted) await this.#patiently('asking what is staged', () => this.#survey());
      this.#askDoubtful();
      for (let due = this.#next(); due !== undefined; due = this.#next()) {
        const next = due;
        await this.#patiently(`deciding step ${due.step}`, () => this.#decide(next));
        if (this.#surveys < this.#wanted) break;
      }
    }
  }

  #patiently<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { context, trigger } = this.#options;
    const named = `trigger ${trigger.root.name}, run ${this.run}: ${what}`;
    return untilDone(attempt, { logger: context.logger, what: named, signal: this.#stopped.signal });
  }

  async #load(): Promise<void> {
    if (!this.#log.complete) await this.#log.catchUp(this.#stopped.signal);
    const { root } = this.#options.trigger;
    this.#settling = this.#log.of(root.name).head?.step;
    await this.#decider.redo(root);
    this.#settling = undefined;
    this.#arrivals.dropDecided((due) => this.#isDecided(due));
    this.#loaded = true;
    this.#tell();
  }

  /** Another engine added a decision. */
  async #reload(): Promise<void> {
    await this.#log.catchUp(this.#stopped.signal);
    await this.#load();
  }

  async #survey(): Promise<void> {
    const { surveyor, trigger, run } = this.#options;
    const { variable, box, root, byPartition } = trigger;
    const wanted = this.#wanted;
    const all = await surveyor.staged(variable, run);
    const staged = new Set([...all].filter((step) => appliesTo(root.scope, run, step)));
    const asked = { variable, run, box };
    const covered = byPartition || staged.size === 0 ? [] : await surveyor.covered(asked);
    const partitions =
      byPartition && staged.size > 0
        ? await surveyor.partitions(asked, (id) => !this.#log.decided.has({ step: Infinity, epoch: 0, partition: id }))
        : [];
    this.#arrivals.survey(
      {
        staged: byPartition ? new Set() : staged,
        covered: covered.filter((step) => appliesTo(root.scope, run, step)),
        partitions: partitions.filter(({ step }) => appliesTo(root.scope, run, step)),
      },
      (due) => this.#isDecided(due),
    );
    this.#surveys = wanted;
    this.#again = true;
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#settled]) look();
  }

  /** Asks the shards what is missing of steps that have begun when nobody was told. */
  #askDoubtful(): void {
    for (const step of this.#arrivals.doubtful()) {
      if (this.#asking >= ASKING) return;
      this.#asking++;
      this.#askOne(step)
        .catch((error: unknown) => {
          const { logger } = this.#options.context;
          if (!this.#stopped.signal.aborted)
            logger.debug({ err: error, step }, 'could not learn yet what a step lacks');
        })
        .finally(() => {
          this.#asking--;
          this.#wake();
        });
    }
  }

  async #askOne(step: number): Promise<void> {
    const { context, trigger } = this.#options;
    const address = addressOf({ trigger, node: trigger.root, run: this.run, due: { step } });
    const asked = this.#arrivals.ask(step);
    let missing: readonly Box[] | undefined;
    try {
      const planned = await planStep(context, address, this.#stopped.signal);
      missing = planned.covered ? [] : planned.missing;
    } finally {
      this.#arrivals.answer(asked, missing);
    }
  }

  /** What is to be decided now; where something is held back, it is looked at again in time. */
  #next(): Due | undefined {
    const [first] = this.#arrivals.ready.first(1);
    if (first === undefined || !this.#options.trigger.valid.ordered) return first;
    const wait = heldUntil(first.step, this.#arrivals.begun()) - monotonicNow();
    if (wait <= 0) return first;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), Math.ceil(wait));
    return undefined;
  }

  async #decide(due: Due): Promise<void> {
    const { root, valid } = this.#options.trigger;
    if (this.#isDecided(due)) {
      this.#arrivals.done(due);
      return;
    }
    if (!root.readsPrevious) {
      for (const ahead of this.#arrivals.ready.first(AHEAD)) this.#evaluator.evaluate(ahead, this.#epochs);
    }
    const { epoch, promise } = this.#evaluator.evaluate(due, this.#epochs);
    const evaluation = await promise;
    // A lower step may have come first meanwhile: this one keeps its evaluation and waits.
    const first = valid.ordered ? this.#next() : due;
    if (first !== due && this.#arrivals.ready.has(due)) return;
    this.#evaluator.used(due);
    // Rolled back meanwhile, or read in the log of another engine.
    if (epoch !== this.#epochs.epochOf(due.step) || this.#isDecided(due)) return;
    if (evaluation.covered) await this.#commit(due, evaluation.evaluated);
    else if (evaluation.gone) this.#arrivals.done(due);
  }

  async #commit(due: Due, evaluated: Evaluated): Promise<void> {
    const { root } = this.#options.trigger;
    const committed = await this.#decider.decide(root, evaluated);
    if (committed === undefined) {
      // Another engine took this one for gone, or was taken so by this one.
      await this.#patiently('reading on in a decision log', () => this.#reload());
      return;
    }
    const { step, partition } = due;
    this.#log.decided.add({ step, epoch: evaluated.epoch, ...(partition && { partition: partition.id }) });
    this.#settling = step;
    this.#arrivals.done(due);
    if (committed.decision.outbox.length > 0) {
      const what = `doing what the decision on step ${step} asks for`;
      await this.#patiently(what, () => this.#decider.settle(committed, evaluated.plan));
    }
    this.#settling = undefined;
  }
}
