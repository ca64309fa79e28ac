import type { Epoch, PartitionId, RawId, Stamp } from './names.js';
import type { IndexEntry, Tier } from './partition.js';

/**
 * Messages between raw-services, SDKs and the meta-services that own shards. JSON; boxes in text form where they leave
 * this process, as `Box` inside an entry. Every request lists the shards that it means; they are thought to have one
 * owner, and the subject is that of the first. The owner acts for those that it owns and names the others in `notOwned`.
 */
export interface ShardRequest {
  readonly shards: readonly number[];
}

export interface ShardReply {
  /** Shards of the request that the answering service does not own (any more): ask again, each by its own subject. */
  readonly notOwned?: readonly number[];
}

/** `index`: an acknowledgement means that a plan of any of the shards sees the partition. */
export interface IndexRequest extends ShardRequest {
  readonly entry: IndexEntry;
  /** Start of the raw-service's process: a message from an earlier start is refused. */
  readonly incarnation: string;
  /** The lowest touched shard decided for this copy against another one of the same id. */
  readonly replace?: true;
}

export interface IndexReply extends ShardReply {
  readonly outcome:
    | { readonly kind: 'indexed' }
    /** A newer overlapping partition stands: take a stamp above this one and index again. */
    | { readonly kind: 'restamp'; readonly above: Stamp }
    /** The id stands already at another live raw-service. */
    | { readonly kind: 'duplicate'; readonly raw: RawId }
    /** The run was rolled back below this step while the put was under way, or the variable is gone. */
    | { readonly kind: 'superseded'; readonly epoch: Epoch }
    /** The sender is an earlier start of its raw-service. */
    | { readonly kind: 'stale' };
}

/** `unindex`: forgets copies held by `raw`; unknown ids are no error. Idempotent. */
export interface UnindexRequest extends ShardRequest {
  readonly raw: RawId;
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly ids: readonly PartitionId[];
  /** `evicted`: dropped by the window's policy: steps below `floor` answer NOT_FOUND from now on. */
  readonly reason: 'undone' | 'deleted' | 'evicted' | 'rollback';
  readonly floor?: number;
}

/** `tier`: partitions moved between memory and disk. Advisory. */
export interface TierRequest extends ShardRequest {
  readonly raw: RawId;
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly ids: readonly PartitionId[];
  readonly tier: Tier;
}

/** How a plan names its step. */
export type StepChoice = number | 'latest' | { readonly next: number };

/**
 * `plan`: tiles the part of `box` that lies in `shards`. With `waitMs` the answer comes when that part is covered, or
 * with what is missing when the wait ends.
 */
export interface PlanRequest extends ShardRequest {
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  /** Text form. */
  readonly box: string;
  readonly waitMs: number;
}

/** Part of a plan: `box` of partition `id`, to be read at `raw`. */
export interface Piece {
  readonly id: PartitionId;
  /** Text form. */
  readonly box: string;
  readonly raw: RawId;
  readonly tier: Tier;
  /** Of the whole partition. */
  readonly bytes: number;
}

/**
 * `read`: as a plan without a wait, but where one partition holds the whole box and it has at most `maxBytes`, the
 * answer comes from its raw-service: the bytes, with the header `Tide-Epoch`.
 */
export interface ReadThroughRequest extends Omit<PlanRequest, 'waitMs'> {
  readonly waitMs: 0;
  readonly maxBytes: number;
}

export interface PlanReply extends ShardReply {
  readonly covered: boolean;
  readonly epoch: Epoch;
  readonly pieces: readonly Piece[];
  /** Text form, at most MISSING_LIMIT. */
  readonly missing: readonly string[];
  readonly missingCount: number;
  /** The step was dropped by its window: waiting is in vain. */
  readonly dropped?: true;
  /** Too many pieces for one message: plan parts of the box. */
  readonly split?: true;
  /** Raw-services whose inventory is not in yet: newer data may exist there, so this plan must not be trusted. */
  readonly absent?: readonly string[];
}

/**
 * `covered`: which steps cover the part of `box` that lies in `shards`. With `waitMs` it answers as soon as that list
 * differs from the one at `version`, so a caller can follow it.
 */
export interface CoveredRequest extends ShardRequest {
  readonly variable: string;
  readonly run: string;
  readonly box: string;
  /** Steps above this one; -1 for all. */
  readonly after: number;
  /** `newest`: the last ones; `oldest`: the first ones. */
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  readonly version?: string;
  readonly waitMs: number;
}

export interface CoveredReply extends ShardReply {
  /** In the asked order. */
  readonly steps: readonly number[];
  readonly more: boolean;
  readonly version: string;
  readonly absent?: readonly string[];
}

/** `list`: what is staged, each partition told by the lowest shard that it touches. */
export interface ListRequest extends ShardRequest {
  /** Absent: every variable (for a rollback). */
  readonly variable?: string;
  readonly run: string;
  /** Text form of a half-open range, a step, or steps; absent: all. */
  readonly steps?: number | readonly number[] | string;
  /** Only partitions inside it. */
  readonly box?: string;
  /** Only partitions of an epoch below this one. */
  readonly belowEpoch?: number;
  /** Position from an earlier reply. */
  readonly cursor?: string;
  readonly summary?: boolean;
}

/** What a shard's owner tells of a step, its own part only. */
export interface StepSummary {
  readonly step: number;
  /** Every cell of the listed shards has data. */
  readonly covered: boolean;
  readonly partitions: number;
  readonly bytes: number;
  readonly onDisk: number;
}

export interface ListReply extends ShardReply {
  readonly partitions?: readonly {
    readonly id: PartitionId;
    readonly variable: string;
    readonly step: number;
    readonly bytes: number;
    readonly raw: RawId;
  }[];
  readonly summaries?: readonly StepSummary[];
  readonly cursor?: string;
  readonly absent?: readonly string[];
}

/** `runs`: the runs of a variable of which something is staged at the shards. */
export interface RunsRequest extends ShardRequest {
  readonly variable: string;
}

export interface RunsReply extends ShardReply {
  readonly runs: readonly string[];
  readonly absent?: readonly string[];
}

/** Announcement of a meta-service on `OWNERS`. */
export interface OwnersAnnouncement {
  readonly id: string;
  readonly shards: readonly number[];
}
