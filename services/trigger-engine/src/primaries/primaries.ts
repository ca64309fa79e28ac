import type { RunRecord, TriggerRecord } from '@tidegate/protocol';
import { RunRoom } from '../runs/run-room.js';
import type { TriggerSurroundings } from './active-trigger.js';
import { Limiter } from './limiter.js';
import { Primary } from './primary.js';
import { Surveyor } from './surveyor.js';

/** Runs of triggers that are kept at a time, idle ones included. */
const RUNS_LIMIT = 1024;
/** Triggers that look at a time for what they have to decide. */
const BACKFILLS = 16;

export interface PrimariesOptions extends Pick<TriggerSurroundings, 'context' | 'holds'> {
  /** The variable of a trigger is not there any more, or is another one. */
  readonly onOrphan: (record: TriggerRecord) => void;
}

/** The primary shards that this engine owns. */
export class Primaries {
  readonly #options: PrimariesOptions;
  readonly #surroundings: TriggerSurroundings;
  readonly #owned = new Map<number, Primary>();

  constructor(options: PrimariesOptions) {
    this.#options = options;
    const { context, holds } = options;
    this.#surroundings = {
      context,
      holds,
      surveyor: new Surveyor(context),
      room: new RunRoom(RUNS_LIMIT),
      limiter: new Limiter(BACKFILLS),
    };
  }

  /** The shard is this engine's from now on. */
  gain(shard: number): void {
    const { context, onOrphan } = this.#options;
    const primary = new Primary({ ...this.#surroundings, shard, onOrphan });
    this.#owned.set(shard, primary);
    for (const [, { value }] of context.state.triggers.cache.entries()) {
      if (value.primary === shard) primary.changed(value);
    }
  }

  /** Stops deciding for a shard; returns when nothing of it is under way any more. */
  async lose(shard: number, reason: Error): Promise<void> {
    const primary = this.#owned.get(shard);
    this.#owned.delete(shard);
    await primary?.stop(reason);
  }

  /** A trigger's record changed. */
  changed(record: TriggerRecord): void {
    for (const [shard, primary] of this.#owned) {
      if (shard === record.primary) primary.changed(record);
      else primary.moved(record.name);
    }
  }

  /** A run was rolled back. */
  rolledBack(run: string, record: RunRecord): void {
    for (const primary of this.#owned.values()) primary.rolledBack(run, record);
  }

  async stop(reason: Error): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((shard) => this.lose(shard, reason)));
  }
}
