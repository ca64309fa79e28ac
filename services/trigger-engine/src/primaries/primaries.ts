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
  /** The records of all shards, by primary and name. */
  readonly #records = new Map<number, Map<string, TriggerRecord>>();
  readonly #primaryOf = new Map<string, number>();

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
    const { onOrphan } = this.#options;
    const primary = new Primary({ ...this.#surroundings, shard, onOrphan });
    this.#owned.set(shard, primary);
    for (const record of this.#records.get(shard)?.values() ?? []) primary.changed(record);
  }

  /** Stops deciding for a shard; returns when nothing of it is under way any more. */
  async lose(shard: number, reason: Error): Promise<void> {
    const primary = this.#owned.get(shard);
    this.#owned.delete(shard);
    await primary?.stop(reason);
  }

  /** A trigger's record is new, or changed. */
  changed(record: TriggerRecord): void {
    const { name, primary } = record;
    const before = this.#primaryOf.get(name);
    if (before !== undefined && before !== primary) {
      this.#records.get(before)?.delete(name);
      this.#owned.get(before)?.moved(name);
    }
    this.#primaryOf.set(name, primary);
    const records = this.#records.get(primary) ?? new Map<string, TriggerRecord>();
    this.#records.set(primary, records.set(name, record));
    this.#owned.get(primary)?.changed(record);
  }

  /** A run was rolled back. */
  rolledBack(run: string, record: RunRecord): void {
    for (const primary of this.#owned.values()) primary.rolledBack(run, record);
  }

  async stop(reason: Error): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((shard) => this.lose(shard, reason)));
  }
}
