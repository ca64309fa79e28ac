import type { LeaseRecord } from '@tidegate/protocol';
import { monotonicNow, settledWithin } from './clock.js';
import type { KvBucket, KvEntry } from './kv.js';
import { KvCache } from './kv-cache.js';
import { type LeasePlan, planLeases, type SeenLease } from './lease-plan.js';
import { assign } from './rendezvous.js';

export interface LeaseKeeperOptions {
  readonly leases: KvBucket<LeaseRecord>;
  /** Keys are `<prefix>.<shard>`. */
  readonly prefix: string;
  /** This member's id, as it stands among `members()`. */
  readonly owner: string;
  readonly incarnation: string;
  readonly shards: number;
  /** Ids that shards are dealt to, freshly heard of ones: `roster.fresh(kind, ttl)`. This member is always counted in. */
  readonly members: () => readonly string[];
  /** The shard is this member's from now on. */
  readonly onGained: (shard: number) => void;
  /** The shard goes to another member: stop serving it. Once this settles the lease is given up. */
  readonly onLosing: (shard: number) => Promise<void>;
  /** The lease is lost or expired: stop serving the shard at once. */
  readonly onLost: (shard: number) => void;
  readonly now?: () => number;
  /** Default: the bucket's. */
  readonly ttlMs?: number;
}

interface Lease {
  revision: number;
  validUntil: number;
  renewedAt: number;
  renewing: boolean;
  losing: boolean;
  /** Settles with the renewal under way. */
  renewal: Promise<void>;
}

const TICK_MS = 100;
/** Most acquisitions, and most renewals, under way at a time. */
const CONCURRENCY = 64;
/** Longest that a hand-over may take. */
const HANDOVER_MS = 10_000;

/**
 * Holds the leases of the shards that rendezvous hashing deals to this member. A lease is trusted from the beginning
 * of its last renewal for the time to live less a margin, on this process's monotonic clock: less than the bucket keeps
 * it, so two members never trust the same lease at a time, whatever their wall clocks say.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #now: () => number;
  readonly #ttlMs: number;
  readonly #marginMs: number;
  readonly #held = new Map<number, Lease>();
  readonly #seen = new Map<number, SeenLease>();
  readonly #triedAt = new Map<number, number>();
  readonly #acquiring = new Map<number, Promise<void>>();
  readonly #handingOver = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #cache: KvCache<LeaseRecord> | undefined;
  #desired: readonly string[] = [];
  #desiredFor = '';
  #renewals = 0;
  #checking = false;
  #stopping = false;

  /** Opens the keeper and returns once it knows the standing leases. @throws UnavailableError */
  static async open(options: LeaseKeeperOptions): Promise<LeaseKeeper> {
    const keeper = new LeaseKeeper(options);
    try {
      keeper.#cache = await KvCache.open(options.leases, {
        onChange: (key, entry) => keeper.#change(key, entry),
        onSync: () => keeper.check(),
      });
    } catch (error) {
      await keeper.stop();
      throw error;
    }
    keeper.check();
    return keeper;
  }

  private constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#now = options.now ?? monotonicNow;
    this.#ttlMs = options.ttlMs ?? options.leases.ttlMs;
    this.#marginMs = this.#ttlMs / 6;
    this.#timer = setInterval(() => this.#actSafely(), Math.min(TICK_MS, this.#ttlMs / 12));
  }

  /** True where this member owns the shard at this moment. */
  holds(shard: number): boolean {
    const lease = this.#held.get(shard);
    return lease !== undefined && this.#now() < lease.validUntil;
  }

  /** The shards that this member owns at this moment, in rising order. */
  held(): readonly number[] {
    return [...this.#held.keys()].filter((shard) => this.holds(shard)).sort((a, b) => a - b);
  }

  /** The members changed: look again soon. */
  check(): void {
    if (this.#checking) return;
    this.#checking = true;
    queueMicrotask(() => {
      this.#checking = false;
      this.#actSafely();
    });
  }

  /** Hands all leases over and ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#acquiring.values());
    for (const shard of [...this.#held.keys()]) this.#release(shard);
    await Promise.all(this.#handingOver);
    clearInterval(this.#timer);
    this.#cache?.stop();
  }

  #key(shard: number): string {
    return `${this.#options.prefix}.${shard}`;
  }

  #change(key: string, entry: KvEntry<LeaseRecord> | undefined): void {
    const { prefix, shards } = this.#options;
    if (!key.startsWith(`${prefix}.`)) return;
    const shard = Number(key.slice(prefix.length + 1));
    if (!Number.isSafeInteger(shard) || shard < 0 || shard >= shards) return;
    if (!entry) {
      this.#seen.delete(shard);
      this.#triedAt.delete(shard);
      this.check();
      return;
    }
    this.#seen.set(shard, { ...entry.value, revision: entry.revision, at: this.#now() });
    const lease = this.#held.get(shard);
    if (lease && entry.revision > lease.revision && !this.#isMine(entry.value)) this.#lose(shard);
  }

  #isMine({ owner, incarnation }: LeaseRecord): boolean {
    return owner === this.#options.owner && incarnation === this.#options.incarnation;
  }

  #record(): LeaseRecord {
    return { owner: this.#options.owner, incarnation: this.#options.incarnation };
  }

  #plan(): LeasePlan {
    const { owner, members, shards } = this.#options;
    const all = [...new Set([...members(), owner])].sort();
    const key = all.join(' ');
    if (key !== this.#desiredFor) {
      this.#desired = assign(shards, all);
      this.#desiredFor = key;
    }
    return planLeases({
      now: this.#now(),
      ttlMs: this.#ttlMs,
      owner,
      desired: this.#desired,
      held: this.#held,
      seen: this.#seen,
      triedAt: this.#triedAt,
      acquiring: new Set(this.#acquiring.keys()),
      limit: CONCURRENCY,
    });
  }

  #actSafely(): void {
    try {
      this.#act();
    } catch (error) {
      this.#options.leases.bus.logger.error({ err: error }, 'could not look after the leases');
    }
  }

  #act(): void {
    const plan = this.#plan();
    for (const shard of plan.lost) this.#lose(shard);
    for (const shard of plan.renew) this.#renew(shard);
    if (this.#stopping) return;
    for (const shard of plan.release) this.#release(shard);
    if (!this.#cache?.inSync) return;
    for (const shard of plan.acquire) {
      const attempt = this.#acquire(shard).finally(() => this.#acquiring.delete(shard));
      this.#acquiring.set(shard, attempt);
    }
  }

  async #acquire(shard: number): Promise<void> {
    const { leases, onGained } = this.#options;
    const start = this.#now();
    this.#triedAt.set(shard, start);
    let revision: number | undefined;
    try {
      revision = await this.#claim(shard);
    } catch (error) {
      leases.bus.logger.debug({ err: error, shard }, 'could not acquire a lease yet');
      return;
    }
    if (revision === undefined) return;
    const validUntil = start + this.#ttlMs - this.#marginMs;
    if (this.#stopping || this.#now() >= validUntil) {
      await this.#giveBack(shard, revision);
      return;
    }
    const renewal = Promise.resolve();
    this.#held.set(shard, { revision, validUntil, renewedAt: start, renewing: false, losing: false, renewal });
    this.#guard(shard, () => onGained(shard));
  }

  /**
   * Takes a lease that fell silent at the revision that was seen, without waiting until the bucket drops it, and any
   * other one by creating it. An owner that lives has renewed it since, which makes both fail.
   */
  async #claim(shard: number): Promise<number | undefined> {
    const { leases } = this.#options;
    const silent = this.#seen.get(shard);
    const taken = silent && (await leases.update(this.#key(shard), this.#record(), silent.revision));
    return taken ?? leases.create(this.#key(shard), this.#record());
  }

  #renew(shard: number): void {
    const lease = this.#held.get(shard);
    if (!lease || this.#renewals >= CONCURRENCY) return;
    lease.renewing = true;
    this.#renewals++;
    lease.renewal = this.#renewOnce(shard, lease)
      .catch((error: unknown) => {
        // The next tick tries again, until the lease is not to be trusted any more.
        this.#options.leases.bus.logger.debug({ err: error, shard }, 'could not renew a lease yet');
      })
      .finally(() => {
        lease.renewing = false;
        this.#renewals--;
      });
  }

  async #renewOnce(shard: number, lease: Lease): Promise<void> {
    const { leases } = this.#options;
    const start = this.#now();
    const revision = await leases.update(this.#key(shard), this.#record(), lease.revision);
    if (revision !== undefined) {
      lease.revision = revision;
      lease.renewedAt = start;
      lease.validUntil = start + this.#ttlMs - this.#marginMs;
      // Lost meanwhile, and nobody is to think that this member still has it.
      if (this.#held.get(shard) !== lease) await this.#giveBack(shard, revision);
      return;
    }
    const standing = await leases.get(this.#key(shard));
    if (standing && this.#isMine(standing.value)) lease.revision = standing.revision;
    else if (this.#held.get(shard) === lease) this.#lose(shard);
  }

  #lose(shard: number): void {
    if (!this.#held.delete(shard)) return;
    this.#options.leases.bus.logger.warn({ shard, prefix: this.#options.prefix }, 'lost a lease');
    this.#guard(shard, () => this.#options.onLost(shard));
  }

  #release(shard: number): void {
    const lease = this.#held.get(shard);
    if (!lease || lease.losing) return;
    lease.losing = true;
    const handover = this.#handOver(shard, lease).finally(() => this.#handingOver.delete(handover));
    this.#handingOver.add(handover);
  }

  async #handOver(shard: number, lease: Lease): Promise<void> {
    const { leases, onLosing } = this.#options;
    try {
      const served = onLosing(shard);
      if (!(await settledWithin(served, HANDOVER_MS))) {
        leases.bus.logger.warn({ shard }, 'handing over a shard that did not come to rest');
      } else await served;
    } catch (error) {
      leases.bus.logger.error({ err: error, shard }, 'a shard failed to stop serving');
    }
    if (this.#held.get(shard) !== lease) return;
    this.#held.delete(shard);
    await lease.renewal;
    await this.#giveBack(shard, lease.revision);
  }

  async #giveBack(shard: number, revision: number): Promise<void> {
    const { leases } = this.#options;
    try {
      await leases.delete(this.#key(shard), revision);
    } catch (error) {
      leases.bus.logger.info({ err: error, shard }, 'a lease could not be given back; it expires by itself');
    }
  }

  #guard(shard: number, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.leases.bus.logger.error({ err: error, shard }, 'a follower of the leases failed on a change');
    }
  }
}
