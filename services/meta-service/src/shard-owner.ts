import { inParallel, type Logger, sleep } from '@tidegate/bus';
import { BusyError, type PartitionId, type RawId } from '@tidegate/protocol';
import { type InventoryContext, type InventoryReading, readInventory } from './inventory.js';
import type { RawStarts } from './raw-starts.js';
import type { WaitRoom } from './wait-room.js';

/** Requests that wait for shards to be taken over; more are refused. */
const QUEUE_LIMIT = 16_384;
/** Inventories of one shard that are read at a time. */
const READINGS = 16;
const RETRY_MS = [100, 250, 500, 1000, 2500, 5000] as const;

/** What owning shards needs from the outside. */
export interface ShardOwnerOptions extends InventoryContext {
  readonly starts: RawStarts;
  readonly room: WaitRoom;
  /** True while the lease is held by the clock, whatever was heard. */
  holds(shard: number): boolean;
  /** Begins to receive the shard's requests; settles once the server knows. */
  subscribe(shard: number): Promise<{ stop(): Promise<void> }>;
  /** Settles once this process has seen what the cluster has decided until now. */
  upToDate(): Promise<void>;
  /** All raw-services that may hold data, as the bucket has them now. */
  knownRaws(): Promise<readonly RawId[]>;
  isLive(raw: RawId): boolean;
  /** The list of ready shards changed. */
  onChange(): void;
}

interface Owned {
  readonly shard: number;
  readonly given: AbortController;
  readonly absent: Set<RawId>;
  readonly settled: Promise<void>;
  readonly settle: () => void;
  ready: boolean;
  subscription: { stop(): Promise<void> } | undefined;
}

/** How this process stands to the shards of a request. */
export interface Standing {
  /** Owned, with all inventories in that could be had. */
  readonly ready: readonly number[];
  /** Owned, and being taken over. */
  readonly acquiring: readonly number[];
  readonly notOwned: readonly number[];
}

/**
 * The shards that this process owns. One that is gained is subscribed to, then filled from the inventories of all
 * raw-services, then answered for; requests that come meanwhile wait. A raw-service that does not tell its inventory
 * is `absent` from the shard until it does.
 */
export class ShardOwner {
  readonly #options: ShardOwnerOptions;
  readonly #logger: Logger;
  readonly #owned = new Map<number, Owned>();
  readonly #readings = new Set<InventoryReading>();
  readonly #refreshing = new Map<RawId, { again: boolean }>();
  readonly #stop = new AbortController();
  #queued = 0;

  constructor(options: ShardOwnerOptions) {
    this.#options = options;
    this.#logger = options.logger;
  }

  /** Shards that are answered for, rising. */
  readyShards(): number[] {
    const ready: number[] = [];
    for (const { shard, ready: answered } of this.#owned.values()) if (answered) ready.push(shard);
    return ready.sort((a, b) => a - b);
  }

  standing(shards: readonly number[]): Standing {
    const ready: number[] = [];
    const acquiring: number[] = [];
    const notOwned: number[] = [];
    for (const shard of shards) {
      const owned = this.#owned.get(shard);
      if (owned === undefined || !this.#options.holds(shard)) notOwned.push(shard);
      else if (owned.ready) ready.push(shard);
      else acquiring.push(shard);
    }
    return { ready, acquiring, notOwned };
  }

  /** Raw-services whose inventory of any of the shards is not in. */
  absent(shards: readonly number[]): readonly RawId[] {
    const absent = new Set<RawId>();
    for (const shard of shards) for (const raw of this.#owned.get(shard)?.absent ?? []) absent.add(raw);
    return [...absent].sort();
  }

  /**
   * Settles when each of the shards is ready or lost.
   *
   * @throws BusyError when too many requests wait for that
   */
  async whenSettled(shards: readonly number[]): Promise<void> {
    if (this.#queued >= QUEUE_LIMIT) {
      throw new BusyError(`expected at most ${QUEUE_LIMIT} requests for shards that are being taken over`, 100);
    }
    this.#queued++;
    try {
      for (const shard of shards) await this.#owned.get(shard)?.settled;
    } finally {
      this.#queued--;
    }
  }

  /** Removals that arrive while inventories are read win over what these tell. */
  removed(raw: RawId, ids: readonly PartitionId[]): void {
    for (const reading of this.#readings) {
      if (reading.raw === raw) for (const id of ids) reading.removed.add(id);
    }
  }

  /** The lease of a shard was gained. */
  gain(shard: number): void {
    if (this.#stop.signal.aborted || this.#owned.has(shard)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const owned: Owned = {
      shard,
      given: new AbortController(),
      absent: new Set(),
      settled: promise,
      settle: resolve,
      ready: false,
      subscription: undefined,
    };
    this.#owned.set(shard, owned);
    this.#acquire(owned).catch((error: unknown) => {
      if (!owned.given.signal.aborted) this.#logger.error({ shard, err: error }, 'could not take over a shard');
    });
  }

  async #acquire(owned: Owned): Promise<void> {
    const { shard, given, absent } = owned;
    const { signal } = given;
    const subscription = await this.#insist(signal, 'subscribe to a shard', () => this.#options.subscribe(shard));
    if (signal.aborted) {
      await subscription.stop();
      return;
    }
    owned.subscription = subscription;
    await this.#insist(signal, 'see what the cluster has decided', () => this.#options.upToDate());
    const raws = await this.#insist(signal, 'list the raw-services', () => this.#options.knownRaws());
    await inParallel(raws, READINGS, async (raw) => {
      if (!(await this.#read(owned, raw))) absent.add(raw);
    });
    signal.throwIfAborted();
    owned.ready = true;
    owned.settle();
    this.#logger.info({ shard, rawServices: raws.length, absent: [...absent] }, 'owns a shard');
    this.#options.onChange();
    for (const raw of absent) this.refresh(raw);
  }

  /** Repeats what has to succeed, until the shard is given up. */
  async #insist<T>(signal: AbortSignal, what: string, attempt: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        this.#logger.warn({ err: error }, `could not ${what}, tries again`);
        await sleep(retryDelay(failures), signal);
      }
    }
  }

  /** Reads one inventory. False where the raw-service did not tell it. */
  async #read(owned: Owned, raw: RawId): Promise<boolean> {
    const { signal } = owned.given;
    const reading: InventoryReading = { raw, shard: owned.shard, removed: new Set(), signal };
    this.#readings.add(reading);
    try {
      const incarnation = await readInventory(this.#options, reading);
      const before = this.#options.starts.current(raw);
      this.#options.starts.announced(raw, incarnation);
      // Started anew unnoticed: what it held before and does not hold any more is indexed at other shards still.
      if (before !== undefined && before !== incarnation) this.refresh(raw);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#logger.warn({ shard: owned.shard, raw, err: error }, 'a raw-service did not tell its inventory');
      return false;
    } finally {
      this.#readings.delete(reading);
    }
  }

  /** The raw-service appeared, or came back, as this start of its process. */
  rawJoined(raw: RawId, incarnation: string): void {
    const later = this.#options.starts.announced(raw, incarnation);
    if (later || this.absent([...this.#owned.keys()]).includes(raw)) this.refresh(raw);
  }

  /** The raw-service will not come back: nobody waits for its inventory, and what it held is gone. */
  rawForgotten(raw: RawId): void {
    this.#options.starts.forget(raw);
    this.#options.index.forgetRaw(raw);
    for (const { absent } of this.#owned.values()) absent.delete(raw);
  }

  /**
   * Reads a raw-service's inventory of all owned shards anew, until it is told or the raw-service is gone; what it does
   * not hold any more is forgotten.
   */
  refresh(raw: RawId): void {
    const running = this.#refreshing.get(raw);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const state = { again: false };
    this.#refreshing.set(raw, state);
    this.#refresh(raw, state)
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#logger.error({ raw, err: error }, 'could not read the inventory of a raw-service anew');
      })
      .finally(() => this.#refreshing.delete(raw));
  }

  async #refresh(raw: RawId, state: { again: boolean }): Promise<void> {
    for (let failures = 0; ; failures++) {
      state.again = false;
      const told = new Set<number>();
      const ready = [...this.#owned.values()].filter((owned) => owned.ready);
      await inParallel(ready, READINGS, async (owned) => {
        const read = await this.#read(owned, raw).catch((error: unknown) => {
          if (!owned.given.signal.aborted) throw error;
          return true;
        });
        if (!read || this.#owned.get(owned.shard) !== owned) return;
        told.add(owned.shard);
        owned.absent.delete(raw);
      });
      const incarnation = this.#options.starts.current(raw);
      if (incarnation !== undefined) this.#options.index.keepConfirmed(raw, told, incarnation);
      const missing = ready.some((owned) => this.#owned.get(owned.shard) === owned && !told.has(owned.shard));
      if (!missing && !state.again) return;
      // One that is gone is asked again when it joins.
      if (missing && !this.#options.isLive(raw)) return;
      if (missing) await sleep(retryDelay(failures), this.#stop.signal);
      else failures = 0;
    }
  }

  /** Stops to answer for a shard, so that its lease can be handed over. */
  async losing(shard: number): Promise<void> {
    await this.#giveUp(shard);
  }

  /** The lease of a shard is lost. */
  lost(shard: number): void {
    this.#giveUp(shard).catch((error: unknown) =>
      this.#logger.warn({ shard, err: error }, 'could not unsubscribe from a shard'),
    );
  }

  async #giveUp(shard: number): Promise<void> {
    const owned = this.#owned.get(shard);
    if (owned === undefined) return;
    this.#owned.delete(shard);
    owned.given.abort(new BusyError(`shard ${shard} was given up`, 20));
    owned.settle();
    this.#options.room.loseShard(shard);
    this.#options.index.loseShard(shard);
    this.#logger.info({ shard }, 'gave up a shard');
    this.#options.onChange();
    await owned.subscription?.stop();
  }

  /** Gives up everything and reads no more inventories. */
  async stop(): Promise<void> {
    this.#stop.abort(new BusyError('the meta-service is stopping', 100));
    await Promise.all([...this.#owned.keys()].map((shard) => this.#giveUp(shard)));
  }
}

function retryDelay(failures: number): number {
  return RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0;
}
