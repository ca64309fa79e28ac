import type { Box } from '@tidegate/geometry';
import {
  ConflictError,
  NotFoundError,
  type PartitionId,
  type PartitionRecord,
  type PersistReply,
  type StorageFullFields,
  type StorageState,
  type Tier,
  type TierUse,
  UnavailableError,
} from '@tidegate/protocol';
import { Admission, type AdmissionOptions } from './admission.js';
import type { DiskTier } from './disk-tier.js';
import { type DroppedFloor, DroppedFloors } from './dropped-floors.js';
import { Evictor } from './evictor.js';
import { roundedBytes } from './extent-allocator.js';
import type { MemoryTier, Reservation } from './memory-tier.js';
import { Moving } from './moving.js';
import { type OpenTiers, openTiers } from './open-tiers.js';
import type { PartitionHold } from './partition-hold.js';
import { persist } from './persist.js';
import { StepCatalog } from './step-catalog.js';
import { type HeldStep, StepWindows } from './step-windows.js';
import { storageError } from './storage-error.js';
import type { PartitionStoreOptions } from './store-options.js';
import { worse } from './watermark.js';

const RETRY_MS = 1000;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;

/** A partition and where its bytes are. */
export interface StoredPartition {
  readonly record: PartitionRecord;
  readonly tier: Tier;
}

/** Use of both tiers. `full`: puts find no room; a disk that is full while memory is not shows as `nearfull`. */
export interface StoreUse {
  readonly memory: TierUse;
  readonly disk: TierUse;
  readonly state: StorageState;
}

/**
 * The partitions of one raw-service: admitted into memory, moved to disk or dropped in the background as windows, pins
 * and pressure ask for, found again after a crash. What was committed is readable until it is removed or dropped.
 */
export class PartitionStore {
  readonly #options: PartitionStoreOptions;
  readonly #tiers: OpenTiers;
  readonly #memory: MemoryTier;
  readonly #disk: DiskTier;
  readonly #inMemory = new StepCatalog();
  readonly #onDisk = new StepCatalog();
  readonly #windows: StepWindows;
  readonly #floors: DroppedFloors;
  readonly #moving = new Moving();
  readonly #evictor: Evictor;
  readonly #admission: Admission<Reservation>;
  readonly #underway = new Set<Promise<void>>();
  #state: StorageState = 'ok';
  #isOpen = false;

  private constructor(options: PartitionStoreOptions, tiers: OpenTiers) {
    const { policy, isPinned, isUndecided, now, logger, on } = options;
    this.#options = options;
    this.#tiers = tiers;
    this.#memory = tiers.memory;
    this.#disk = tiers.disk;
    for (const record of this.#memory.records()) this.#inMemory.add(record);
    for (const record of this.#disk.records()) this.#onDisk.add(record);
    this.#windows = new StepWindows(policy, (key) => this.#heldSteps(key));
    this.#floors = new DroppedFloors(tiers.journal, tiers.entries, policy);
    this.#evictor = new Evictor({
      memory: this.#memory,
      disk: this.#disk,
      inMemory: this.#inMemory,
      onDisk: this.#onDisk,
      windows: this.#windows,
      floors: this.#floors,
      moving: this.#moving,
      policy,
      isPinned,
      isUndecided,
      // What is freed but held comes back by itself.
      pressureBytes: () => Math.max(0, this.#admission.pressureBytes() - this.#memory.leavingBytes),
      now,
      logger,
      spilled: on.spilled,
      dropped: on.dropped,
      exhausted: () => this.#admission.calm(),
      changed: () => this.#changed(),
    });
    this.#admission = new Admission<Reservation>({
      limitBytes: this.#memory.limitBytes,
      usedBytes: () => this.#memory.usedBytes,
      needBytes: roundedBytes,
      take: (bytes, durable) => this.#take(bytes, durable),
      diskFits: (bytes) => this.#disk.room.fits(bytes),
      pressed: () => this.#evictor.kick(),
      refusal: (byDisk) => this.#refusal(byDisk),
      level: () => this.#tellState(),
    });
    this.#admission.changed();
    this.#state = this.#currentState();
    this.#isOpen = true;
    this.#evictor.touchAll();
  }

  /**
   * Opens the folders and takes what is in them: memory by its journal, disk by its sidecars. A partition on both is in
   * memory, with a copy on disk.
   *
   * @throws Error if another process has a folder open, or the file system has no room for the segments
   */
  static async open(options: PartitionStoreOptions): Promise<PartitionStore> {
    let store: PartitionStore | undefined;
    const onFreed = () => {
      // As long as the store is not there, nobody waits for room.
      if (store !== undefined) store.#changed();
    };
    store = new PartitionStore(options, await openTiers({ ...options, onFreed }));
    return store;
  }

  /**
   * Room in memory for a payload, to be written, then committed or aborted.
   *
   * @param options.durable the disk must have room as well, which is held for the commit
   * @throws StorageFullError, TooLargeError, BusyError: see `Admission`
   */
  reserve(bytes: number, options: AdmissionOptions): Promise<Reservation> {
    return this.#admission.reserve(bytes, options);
  }

  /**
   * Makes a reservation a partition. Once this returns a crash of the process cannot take it; with `durable` that of the
   * host cannot either. If it throws, the reservation stands and is to be aborted.
   *
   * @throws StorageFullError or UnavailableError when the journal or the disk cannot be written
   */
  commit(reservation: Reservation, record: PartitionRecord, options: { durable: boolean }): Promise<void> {
    const work = this.#commit(reservation, record, options.durable);
    this.#underway.add(work);
    const forget = () => this.#underway.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** Gives a reservation's room back; the same as its own `abort`. */
  abort(reservation: Reservation): void {
    reservation.abort();
  }

  /**
   * Takes notice of a step that another raw-service stores.
   *
   * @param epoch its epoch, so that late news from before a rollback is told apart
   * @returns true if it is new to the window
   */
  seenStep(variable: string, run: string, step: number, epoch?: number): boolean {
    const isNew = this.#windows.seen(variable, run, step, epoch);
    if (isNew) this.#evictor.touch(variable, run);
    return isNew;
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  get(id: string): StoredPartition | undefined {
    const inMemory = this.#memory.get(id as PartitionId);
    if (inMemory !== undefined) return { record: inMemory, tier: 'memory' };
    const onDisk = this.#disk.get(id as PartitionId);
    return onDisk === undefined ? undefined : { record: onDisk, tier: 'disk' };
  }

  /**
   * The cells of `box`, packed row-major: at once from memory, later from disk. A partition that is spilled meanwhile
   * is read from where it is.
   *
   * @throws NotFoundError, BadRequestError if the box is not inside the partition's or a part of an opaque one's,
   *   UnavailableError if the disk fails
   */
  read(id: string, box: Box): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const key = id as PartitionId;
    return this.#find(id) === 'memory' ? this.#memory.readBox(key, box) : this.#disk.readBox(key, box);
  }

  /** A range of the payload's bytes. @throws as `read` */
  readBytes(id: string, offset: number, length: number): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const key = id as PartitionId;
    return this.#find(id) === 'memory'
      ? this.#memory.readBytes(key, offset, length)
      : this.#disk.readBytes(key, offset, length);
  }

  /**
   * Takes hold of a partition for a reader of its own, such as another thread: what it reads from the file stays whole
   * until the release, whatever becomes of the partition. On disk that is from its opening of the file on.
   *
   * @returns undefined if it is not here (any more)
   * @throws BusyError when too many are held
   */
  hold(id: string): PartitionHold | undefined {
    const found = this.get(id);
    if (found === undefined) return undefined;
    const { record } = found;
    const room = this.#memory.hold(record.id) ?? { file: this.#disk.place(record.id), release: () => undefined };
    return { record, ...room };
  }

  /**
   * Puts partitions on disk as well: they are durable there once this returns. May be repeated.
   *
   * @throws StorageFullError or UnavailableError when the disk cannot be written
   */
  async persist(ids: readonly PartitionId[]): Promise<PersistReply> {
    try {
      const tiers = { memory: this.#memory, disk: this.#disk, onDisk: this.#onDisk, moving: this.#moving };
      return await persist(tiers, ids);
    } catch (error) {
      const bytes = ids.reduce((sum, id) => sum + (this.#memory.get(id)?.bytes ?? 0), 0);
      throw storageError(error, bytes, () => this.#refusal(true));
    } finally {
      // The evictor passed over what was being written.
      this.#evictor.kick();
      this.#changed();
    }
  }

  /**
   * Removes partitions from every tier, for good. Unknown ids are no error, so a removal may be repeated.
   *
   * @throws UnavailableError if the journal could not be written or a file not be deleted: its partition stays
   */
  async remove(
    ids: readonly PartitionId[],
  ): Promise<{ partitions: number; bytes: number; records: readonly PartitionRecord[] }> {
    for (let move = this.#moving.of(ids); move !== undefined; move = this.#moving.of(ids)) await move;
    const records = [...new Set(ids)].flatMap((id) => this.get(id)?.record ?? []);
    try {
      this.#memory.free(ids);
      for (const record of records) this.#inMemory.remove(record);
      await this.#disk.delete(ids);
    } catch (cause) {
      throw new UnavailableError(`deleting partitions failed: ${(cause as Error).message}`, RETRY_MS, { cause });
    } finally {
      for (const record of records) if (this.#disk.get(record.id) === undefined) this.#onDisk.remove(record);
      this.#changed();
    }
    return { partitions: records.length, bytes: records.reduce((sum, { bytes }) => sum + bytes, 0), records };
  }

  /** Every partition, once, also where they are spilled meanwhile. Those that come or go may be told or not. */
  *records(): Generator<StoredPartition> {
    const told = new Set<PartitionId>();
    for (const record of this.#memory.records()) {
      told.add(record.id);
      yield { record, tier: 'memory' };
    }
    for (const record of this.#disk.records()) if (!told.has(record.id)) yield { record, tier: 'disk' };
  }

  /** Up to which step series were dropped by their windows. */
  floors(): DroppedFloor[] {
    return this.#floors.list();
  }

  /** Steps of a series may leave memory that were undecided before. */
  reconsider(variable: string, run: string): void {
    this.#evictor.touch(variable, run);
  }

  /** Pins or declarations changed: looks anew at what may leave memory and who may come in. */
  recheck(): void {
    this.#evictor.touchAll();
    this.#changed();
  }

  use(): StoreUse {
    return {
      memory: { usedBytes: this.#memory.usedBytes, limitBytes: this.#memory.limitBytes },
      disk: { usedBytes: this.#disk.room.usedBytes, limitBytes: this.#disk.room.limitBytes },
      state: this.#currentState(),
    };
  }

  /** Ends what is under way and closes. Everything stays for the next start; an empty memory folder is removed. */
  async close(): Promise<void> {
    this.#admission.close(new UnavailableError(`raw-service ${this.#options.id} is stopping`, RETRY_MS));
    await Promise.allSettled(this.#underway);
    await this.#evictor.close();
    await this.#tiers.close();
  }

  async #commit(reservation: Reservation, record: PartitionRecord, durable: boolean): Promise<void> {
    if (this.has(record.id)) throw new ConflictError(`expected a new partition, but ${record.id} stands already`);
    if (durable) await this.#writeDurable(reservation, record);
    try {
      this.#memory.commit(reservation, record);
      this.#inMemory.add(record);
    } catch (error) {
      if (!durable) throw storageError(error, record.bytes, () => this.#refusal(true));
      // It is stored all the same, only not in memory.
      this.#options.logger.warn({ err: error, partition: record.id }, 'a durable partition is kept on disk alone');
      reservation.abort();
    }
    const { variable, run, step, epoch } = record;
    this.#floors.entered(variable, run, epoch);
    const isNew = this.#windows.seen(variable, run, step, epoch);
    if (isNew || step < (this.#windows.floor(variable, run) ?? -1)) this.#evictor.touch(variable, run);
    this.#changed();
  }

  async #writeDurable(reservation: Reservation, record: PartitionRecord): Promise<void> {
    const read = (offset: number, target: Uint8Array) => reservation.read(offset, target);
    const held = reservation.onDisk;
    const { failed } = await this.#disk.writeAll([{ record, read }], { held });
    const [failure] = failed;
    if (failure !== undefined) {
      this.#options.logger.error({ err: failure.error, partition: record.id }, 'a durable put could not be written');
      throw storageError(failure.error, record.bytes, () => this.#refusal(true));
    }
    this.#onDisk.add(record);
  }

  #take(bytes: number, durable: boolean): Reservation | undefined {
    if (durable && !this.#disk.room.hold(bytes)) return undefined;
    const reservation = this.#memory.reserve(bytes, durable ? () => this.#disk.room.release(bytes) : undefined);
    if (reservation === undefined && durable) this.#disk.room.release(bytes);
    return reservation;
  }

  #find(id: string): Tier {
    const found = this.get(id);
    if (found === undefined) throw new NotFoundError(`partition ${id} is not here (any more)`);
    return found.tier;
  }

  *#heldSteps(key: string): Generator<HeldStep> {
    for (const catalog of [this.#inMemory, this.#onDisk]) {
      for (const { step, partitions } of catalog.groups(key)) {
        let newest = 0;
        for (const { epoch } of partitions.values()) newest = Math.max(newest, epoch);
        yield { step, epoch: newest };
      }
    }
  }

  #refusal(byDisk: boolean): Omit<StorageFullFields, 'needBytes'> {
    if (byDisk || this.#evictor.blocked) return this.#disk.room.refusal();
    const { usedBytes, limitBytes } = this.#memory;
    const estimate = this.#evictor.estimateMs(this.#admission.pressureBytes());
    return {
      retryAfterMs: Math.round(Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, estimate ?? RETRY_MS))),
      state: this.#currentState(),
      limit: 'memory',
      usedBytes,
      limitBytes,
    };
  }

  #changed(): void {
    this.#admission.changed();
    this.#tellState();
  }

  #currentState(): StorageState {
    return worse(this.#admission.level, this.#disk.room.level === 'ok' ? 'ok' : 'nearfull');
  }

  #tellState(): void {
    // Whoever opens the store does not have it yet, and asks for its first state.
    if (!this.#isOpen) return;
    const state = this.#currentState();
    if (state === this.#state) return;
    this.#state = state;
    this.#options.on.state(state);
  }
}
