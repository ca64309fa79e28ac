import { matchesRun, type PointerMessage, type RunRecord } from '@tidegate/protocol';
import { RunLog } from '../decision-log/run-log.js';
import type { EngineContext } from '../engine-context.js';
import type { RegisteredTrigger } from '../registry/registered-trigger.js';
import type { RunRoom } from '../runs/run-room.js';
import { TriggerRun } from '../runs/trigger-run.js';
import { untilDone } from '../runs/until-done.js';
import type { Limiter } from './limiter.js';
import type { Surveyor } from './surveyor.js';

/** What all triggers of an engine share. */
export interface TriggerSurroundings {
  readonly context: EngineContext;
  readonly surveyor: Surveyor;
  readonly room: RunRoom;
  /** Of backfills. */
  readonly limiter: Limiter;
  /** Whether this engine owns a primary shard at this moment. */
  readonly holds: (shard: number) => boolean;
}

/** How long the record of a rollback is waited for that a pointer knows of. */
const RECORD_MS = 3000;

/** A registered trigger that this engine decides, in all its runs. */
export class ActiveTrigger {
  readonly trigger: RegisteredTrigger;
  readonly #surroundings: TriggerSurroundings;
  readonly #runs = new Map<string, TriggerRun>();
  readonly #stopped = new AbortController();
  /** Of all runs, from the reading until they are used. */
  #logs: Map<string, RunLog> | undefined;
  #logsUsed = false;

  constructor(surroundings: TriggerSurroundings, trigger: RegisteredTrigger) {
    this.#surroundings = surroundings;
    this.trigger = trigger;
  }

  /** A partition was indexed. */
  pointed(pointer: PointerMessage): void {
    const { run, epoch, step } = pointer;
    if (!matchesRun(this.trigger.root.scope.run, run)) return;
    const decides = this.#run(run);
    if (epoch <= decides.epoch) {
      decides.pointed(pointer);
      return;
    }
    // The run was rolled back, and the news of it is still on its way here.
    this.#seeRollback(run)
      .catch((error: unknown) => {
        const { logger } = this.#surroundings.context;
        logger.warn(
          { err: error, run, epoch, step },
          'a pointer came before the record of its rollback, which does not come',
        );
      })
      .then(() => {
        if (!this.#stopped.signal.aborted) this.#run(run).pointed(pointer);
      })
      .catch(() => {});
  }

  /**
   * Looks for what is staged and undecided in all runs, and for what was decided and not done. After registering, enabling,
   * taking over, and when pointers were missed.
   *
   * @throws the reason why the trigger was stopped
   */
  backfill(): Promise<void> {
    const { context, limiter } = this.#surroundings;
    const { signal } = this.#stopped;
    const what = `looking for what trigger ${this.trigger.root.name} has to decide`;
    return limiter.run(() => untilDone(() => this.#backfill(), { logger: context.logger, what, signal }));
  }

  /** A run was rolled back. */
  rolledBack(run: string, record: RunRecord): void {
    this.#runs.get(run)?.rolledBack(record);
  }

  /** Those of the steps that will still be decided; all of them where that is not known in time. */
  async undecided(run: string, steps: readonly number[], signal: AbortSignal): Promise<readonly number[]> {
    if (!matchesRun(this.trigger.root.scope.run, run)) return [];
    const decides = this.#run(run);
    try {
      await decides.ready(signal);
    } catch {
      return steps;
    }
    return decides.undecided(steps) ?? steps;
  }

  /** Ends at once; returns when nothing is under way any more. */
  async stop(reason: Error): Promise<void> {
    this.#stopped.abort(reason);
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    await Promise.all(
      runs.map((run) => {
        this.#surroundings.room.delete(run);
        return run.stop(reason);
      }),
    );
  }

  #run(run: string, log?: RunLog): TriggerRun {
    const known = this.#runs.get(run);
    if (known) return known;
    const { context, surveyor, room, holds } = this.#surroundings;
    const { trigger } = this;
    const made = new TriggerRun({
      context,
      trigger,
      run,
      surveyor,
      log,
      holds: () => !this.#stopped.signal.aborted && holds(trigger.record.primary),
    });
    this.#runs.set(run, made);
    room.add(made, () => {
      if (this.#runs.get(run) === made) this.#runs.delete(run);
      made.stop(new Error('dropped to make room')).catch(() => {});
    });
    return made;
  }

  async #backfill(): Promise<void> {
    const { context, surveyor } = this.#surroundings;
    const { record, variable, root } = this.trigger;
    for (const run of this.#runs.values()) run.backfill();
    if (!this.#logsUsed) {
      const key = { root: record.name, generation: record.generation };
      this.#logs ??= await RunLog.ofAllRuns(context.bus, key, this.#stopped.signal);
    }
    const staged = await surveyor.runs(variable);
    this.#stopped.signal.throwIfAborted();
    const logs = this.#logs ?? new Map<string, RunLog>();
    for (const run of staged) if (matchesRun(root.scope.run, run)) this.#run(run, logs.get(run));
    for (const [run, log] of logs) {
      // What the last decision asked for may not be done.
      if (log.of(record.name).head?.verdict === 'fired') this.#run(run, log);
    }
    this.#logs = undefined;
    this.#logsUsed = true;
  }

  async #seeRollback(run: string): Promise<void> {
    const { bucket, cache } = this.#surroundings.context.state.runs;
    const entry = await bucket.get(run);
    if (entry) await cache.waitFor(entry.revision, RECORD_MS);
  }
}
