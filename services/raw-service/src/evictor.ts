import type { Logger } from '@tidegate/bus';
import { isTidegateError, type PartitionId, type PartitionRecord } from '@tidegate/protocol';
import type { DiskTier } from './disk-tier.js';
import type { DroppedFloors } from './dropped-floors.js';
import { type Eviction, type EvictionPolicy, planEviction } from './eviction.js';
import type { MemoryTier } from './memory-tier.js';
import type { Moving } from './moving.js';
import { type StepCatalog, type StepGroup, seriesKey } from './step-catalog.js';
import type { StepWindows } from './step-windows.js';

const BATCH_BYTES = 64 << 20;
const BATCH_PARTITIONS = 4096;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** After pressure found nothing to move it is not looked at again for so long: every put would. */
const QUIET_MS = 100;
const LOGGED_IDS = 20;

/** What the evictor works on, and whom it tells. */
export interface EvictorOptions {
  readonly memory: MemoryTier;
  readonly disk: DiskTier;
  readonly inMemory: StepCatalog;
  readonly onDisk: StepCatalog;
  readonly windows: StepWindows;
  readonly floors: DroppedFloors;
  readonly moving: Moving;
  readonly policy: (variable: string) => EvictionPolicy | undefined;
  readonly isPinned: (variable: string, run: string, step: number) => boolean;
  readonly isUndecided: (variable: string, run: string, step: number) => boolean;
  /** Bytes that should leave memory now. */
  readonly pressureBytes: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Partitions of one step that are now on disk alone. */
  readonly spilled: (records: readonly PartitionRecord[]) => void;
  /** Partitions of one step that are gone, like every step of their series below `floor`. */
  readonly dropped: (records: readonly PartitionRecord[], floor: number) => void;
  /** Nothing more can leave memory. */
  readonly exhausted: () => void;
  /** A batch has ended: room and levels may have changed. */
  readonly changed: () => void;
}

interface Batch {
  readonly spill: PartitionRecord[];
  readonly drop: Map<StepGroup, PartitionRecord[]>;
}

/**
 * Moves steps out of memory in the background: one batch of bounded size at a time, each planned anew, so that what
 * changed meanwhile counts. A partition leaves memory only when it is durable on disk: a write that fails leaves it
 * where it is, to be tried again after a pause that doubles.
 */
export class Evictor {
  readonly #options: EvictorOptions;
  /** Series whose window moved or whose pins may have changed. */
  readonly #touched = new Set<string>();
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #backoffMs = 0;
  #retryAt = 0;
  #quietUntil = 0;
  /** Until then nothing is tried, not even what needs no room on disk. */
  #pausedUntil = 0;
  #blocked = false;
  #bytesPerMs = 0;

  constructor(options: EvictorOptions) {
    this.#options = options;
  }

  /** Whether the last spill failed, or found no room on disk. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Milliseconds that moving so many bytes will take, going by the last batches; undefined if nothing moves. */
  estimateMs(bytes: number): number | undefined {
    return this.#running === undefined || this.#bytesPerMs === 0 ? undefined : bytes / this.#bytesPerMs;
  }

  /** A series has to be looked at. */
  touch(variable: string, run: string): void {
    this.#touched.add(seriesKey(variable, run));
    this.kick();
  }

  /** Everything has to be looked at, at once, whatever failed before. */
  touchAll(): void {
    for (const catalog of [this.#options.inMemory, this.#options.onDisk]) {
      for (const key of catalog.keys()) this.#touched.add(key);
    }
    this.#backoffMs = 0;
    this.#retryAt = 0;
    this.#quietUntil = 0;
    this.#pausedUntil = 0;
    this.kick();
  }

  /** There may be something to do. */
  kick(): void {
    this.#again = true;
    if (this.#running !== undefined || this.#closed) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // A kick may have come when the last look had ended already.
      if (this.#again) this.kick();
    });
  }

  /** Ends after the batch that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    // The put that brought this about is answered first.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        while (!this.#closed && (await this.#runBatch()));
      } catch (error) {
        this.#options.logger.error({ err: error }, 'eviction failed; it goes on after a pause');
        this.#backOff();
        this.#pausedUntil = this.#retryAt;
      }
    }
  }

  /** Plans and moves one batch; false if there was nothing to move. */
  async #runBatch(): Promise<boolean> {
    const { now, pressureBytes, exhausted } = this.#options;
    if (now() < this.#pausedUntil) {
      this.#wakeAt(this.#pausedUntil);
      return false;
    }
    const pressure = pressureBytes();
    const spillable = now() >= this.#retryAt;
    const pressed = pressure > 0 && now() >= this.#quietUntil;
    // While the disk refuses only what has a copy there can leave, wherever it stands in the order.
    const plan = this.#plan(pressed ? (spillable ? pressure : Number.POSITIVE_INFINITY) : 0);
    if (!plan.some(({ action }) => action === 'spill')) this.#blocked = false;
    const batch = this.#batch(plan, spillable);
    const idle = batch.spill.length === 0 && batch.drop.size === 0;
    if (pressed && idle) this.#quietUntil = now() + QUIET_MS;
    if (pressed && plan.length === 0) exhausted();
    if (!spillable) this.#wakeAt(this.#retryAt);
    else if (pressure > 0 && !pressed) this.#wakeAt(this.#quietUntil);
    if (idle) return false;
    const ids = [...batch.spill, ...[...batch.drop.values()].flat()].map(({ id }) => id);
    try {
      await this.#options.moving.run(ids, () => this.#move(batch));
    } finally {
      this.#options.changed();
    }
    return true;
  }

  #plan(pressure: number): Eviction[] {
    const { inMemory, onDisk, windows, policy, isPinned, isUndecided } = this.#options;
    const keys = pressure > 0 ? new Set([...this.#touched, ...inMemory.keys()]) : this.#touched;
    const series = [...keys].map((key) => {
      const [variable = '', run = ''] = key.split('.');
      return {
        key,
        policy: policy(variable),
        floor: windows.floor(variable, run),
        memory: inMemory.groups(key),
        disk: onDisk.groups(key),
      };
    });
    const plan = planEviction({ series, isPinned, isUndecided, pressureBytes: pressure });
    const busy = new Set(plan.map(({ group }) => seriesKey(group.variable, group.run)));
    for (const key of this.#touched) if (!busy.has(key)) this.#touched.delete(key);
    return plan;
  }

  /** The first partitions of a plan, up to the size of a batch. */
  #batch(plan: readonly Eviction[], spillable: boolean): Batch {
    const { disk, moving } = this.#options;
    const batch: Batch = { spill: [], drop: new Map() };
    const seen = new Set<PartitionId>();
    let bytes = 0;
    for (const { action, group } of plan) {
      for (const record of group.partitions.values()) {
        if (bytes >= BATCH_BYTES || seen.size >= BATCH_PARTITIONS) return batch;
        // A durable one that is dropped stands in the plan with its memory and with its disk copy.
        if (seen.has(record.id) || moving.has(record.id)) continue;
        if (action === 'drop') {
          const dropped = batch.drop.get(group);
          if (dropped === undefined) batch.drop.set(group, [record]);
          else dropped.push(record);
        } else if (spillable || disk.get(record.id) !== undefined) {
          batch.spill.push(record);
        } else {
          continue;
        }
        seen.add(record.id);
        bytes += record.bytes;
      }
    }
    return batch;
  }

  async #move(batch: Batch): Promise<void> {
    await this.#drop(batch.drop);
    const { disk } = this.#options;
    // What was made durable by its put is on disk already.
    this.#release(batch.spill.filter(({ id }) => disk.get(id) !== undefined));
    await this.#spill(batch.spill.filter(({ id }) => disk.get(id) === undefined));
  }

  async #drop(groups: Batch['drop']): Promise<void> {
    const { memory, disk, inMemory, onDisk, windows, floors, dropped, isUndecided } = this.#options;
    for (const [{ variable, run, step }, records] of groups) {
      const floor = windows.floor(variable, run);
      // A trigger may have been registered since the plan was made.
      if (floor === undefined || isUndecided(variable, run, step)) continue;
      floors.raise(variable, run, floor, windows.epoch(variable, run));
      const ids = records.map(({ id }) => id);
      memory.free(ids);
      for (const record of records) inMemory.remove(record);
      try {
        await disk.delete(ids);
      } finally {
        for (const record of records) if (disk.get(record.id) === undefined) onDisk.remove(record);
      }
      dropped(records, floor);
    }
  }

  async #spill(records: readonly PartitionRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { memory, disk, onDisk, now } = this.#options;
    await disk.room.refresh();
    const start = now();
    const sources = records.map((record) => ({
      record,
      read: (offset: number, target: Uint8Array) => memory.readInto(record.id, offset, target),
    }));
    const { written, failed } = await disk.writeAll(sources);
    for (const record of written) onDisk.add(record);
    this.#release(written);
    const bytes = written.reduce((sum, record) => sum + record.bytes, 0);
    const rate = bytes / Math.max(1, now() - start);
    if (bytes > 0) this.#bytesPerMs = this.#bytesPerMs === 0 ? rate : 0.7 * this.#bytesPerMs + 0.3 * rate;
    if (failed.length === 0) {
      this.#backoffMs = 0;
      this.#blocked = false;
      return;
    }
    this.#blocked = true;
    this.#backOff();
    const [first] = failed;
    const examples = failed.slice(0, LOGGED_IDS).map(({ record }) => record.id);
    const fields = { partitions: failed.length, examples, err: first?.error, retryInMs: this.#backoffMs };
    const expected = isTidegateError(first?.error);
    if (expected) this.#options.logger.warn(fields, 'the disk has no room for a spill; it stays in memory');
    else this.#options.logger.error(fields, 'spilling failed; the partitions stay in memory');
  }

  /** Takes partitions that are on disk out of memory, and tells of it step by step. */
  #release(records: readonly PartitionRecord[]): void {
    const { memory, inMemory, spilled } = this.#options;
    if (records.length === 0) return;
    memory.free(records.map(({ id }) => id));
    for (const record of records) inMemory.remove(record);
    const steps = Map.groupBy(records, ({ variable, run, step }) => `${seriesKey(variable, run)}.${step}`);
    for (const step of steps.values()) spilled(step);
  }

  #backOff(): void {
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(FIRST_BACKOFF_MS, this.#backoffMs * 2));
    this.#retryAt = this.#options.now() + this.#backoffMs;
    this.#wakeAt(this.#retryAt);
  }

  /** The timer holds no process alive: what is in memory then is there at the next start. */
  #wakeAt(at: number): void {
    if (this.#closed || this.#wakesAt <= at) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    const wake = () => {
      this.#wakesAt = Number.POSITIVE_INFINITY;
      this.kick();
    };
    this.#timer = setTimeout(wake, Math.max(1, at - this.#options.now()));
    this.#timer.unref();
  }
}
