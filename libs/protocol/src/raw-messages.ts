import type { PartitionId } from './names.js';
import type { IndexEntry } from './partition.js';
import type { PutReply } from './replies.js';

/**
 * `read`: `box` (text form) of a partition, packed row-major, as the reply's payload; for an opaque partition or a
 * byte-wise read, `offset` and `length` instead. The caller asks for no more than fits a message.
 */
export interface ReadRequest {
  readonly id: PartitionId;
  readonly box?: string;
  readonly offset?: number;
  readonly length?: number;
  /** Told in the reply's header `Tide-Epoch`: of a read that a shard's owner passed on. */
  readonly epoch?: number;
}

/** `release`: forget these partitions, at the shards and on every tier. Unknown ids are no error. */
export interface ReleaseRequest {
  readonly ids: readonly PartitionId[];
  readonly reason: 'deleted' | 'rollback';
}

export interface ReleaseReply {
  readonly partitions: number;
  readonly bytes: number;
}

/** `inventory`: every partition that touches a shard, in pages, those of puts under way included. */
export interface InventoryRequest {
  readonly shard: number;
  readonly cursor?: string;
}

export interface InventoryReply {
  readonly incarnation: string;
  readonly entries: readonly IndexEntry[];
  /** Drop-policy variables: steps below `floor` were dropped. */
  readonly floors: readonly { readonly variable: string; readonly run: string; readonly floor: number }[];
  readonly cursor?: string;
}

/** `lookup`: how a put with this id stands here; with `waitMs` it waits for the end of one that is under way. */
export interface LookupRequest {
  readonly id: PartitionId;
  readonly waitMs?: number;
}

export interface LookupReply {
  readonly state: 'absent' | 'underway' | 'stored';
  /** Of a stored one. */
  readonly reply?: PutReply;
}

/** `discard`: this service's copy lost against another one of the same id. */
export interface DiscardRequest {
  readonly ids: readonly PartitionId[];
}
