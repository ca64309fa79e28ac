/** A lease that this member holds. */
export interface HeldLease {
  /** On the monotonic clock: trusted until then. */
  readonly validUntil: number;
  /** When its last successful renewal was begun. */
  readonly renewedAt: number;
  /** A renewal is under way. */
  readonly renewing: boolean;
  /** It is being handed over. */
  readonly losing: boolean;
}

/** A lease as it was seen in the bucket. */
export interface SeenLease {
  readonly owner: string;
  readonly incarnation: string;
  readonly revision: number;
  /** On the monotonic clock: when it was last seen to be written. */
  readonly at: number;
}

/** What a lease keeper knows. Times are milliseconds of the monotonic clock. */
export interface LeaseState {
  readonly now: number;
  readonly ttlMs: number;
  readonly owner: string;
  /** Per shard, the member that it should belong to. */
  readonly desired: readonly string[];
  readonly held: ReadonlyMap<number, HeldLease>;
  /** What stands in the bucket, one's own leases included. */
  readonly seen: ReadonlyMap<number, SeenLease>;
  /** When acquiring a shard was last tried in vain. */
  readonly triedAt: ReadonlyMap<number, number>;
  /** Shards that are being acquired. */
  readonly acquiring: ReadonlySet<number>;
  /** Most acquisitions at a time. */
  readonly limit: number;
}

/** What is to be done now. */
export interface LeasePlan {
  /** Held, but not to be trusted any more. */
  readonly lost: readonly number[];
  readonly renew: readonly number[];
  /** Held, but belonging to another member: hand over. */
  readonly release: readonly number[];
  readonly acquire: readonly number[];
}

/** Between two attempts to acquire the same lease. */
export const RETRY_MS = 250;

/**
 * Decides what to do about leases. A shard is acquired when it should be this member's and its lease does not stand or
 * was not renewed for a whole time to live; the bucket arbitrates between members that see it differently.
 */
export function planLeases(state: LeaseState): LeasePlan {
  const { now, ttlMs, owner, desired, held, seen, triedAt, acquiring, limit } = state;
  const lost: number[] = [];
  const renew: number[] = [];
  const release: number[] = [];
  for (const [shard, lease] of held) {
    if (now >= lease.validUntil) {
      lost.push(shard);
      continue;
    }
    if (!lease.renewing && now - lease.renewedAt >= ttlMs / 4) renew.push(shard);
    if (!lease.losing && desired[shard] !== owner) release.push(shard);
  }
  const acquire: number[] = [];
  const room = limit - acquiring.size;
  for (let shard = 0; shard < desired.length && acquire.length < room; shard++) {
    if (desired[shard] !== owner || held.has(shard) || acquiring.has(shard)) continue;
    const standing = seen.get(shard);
    if (standing && now - standing.at < ttlMs) continue;
    if (now - (triedAt.get(shard) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) continue;
    acquire.push(shard);
  }
  return { lost, renew, release, acquire };
}
