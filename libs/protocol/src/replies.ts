import type { StorageState } from './error-table.js';
import type { Tier } from './partition.js';
import type { VariableRecord } from './variable.js';

/** Reply of a put or of an upload's commit. */
export interface PutReply {
  readonly id: string;
  readonly run: string;
  readonly variable: string;
  readonly step: number;
  readonly epoch: number;
  readonly box: string;
  readonly bytes: number;
  readonly digest?: string;
  readonly rawService: string;
  readonly storage: { readonly state: StorageState; readonly freeBytes: number };
}

/** Reply of `put.open`. */
export interface UploadTicket {
  readonly uploadId: string;
  /** Takes the chunks as requests. */
  readonly subject: string;
  /** Largest chunk. */
  readonly chunkBytes: number;
  /** Most chunks that may be unanswered at a time. */
  readonly window: number;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** A piece of a plan as `query` answers it. */
export interface PieceReply {
  readonly id: string;
  readonly box: string;
  readonly bytes: number;
  readonly rawService: string;
  readonly tier: Tier;
}

/** Reply of `query`. */
export interface QueryReply {
  readonly covered: boolean;
  readonly epoch: number;
  readonly pieces: readonly PieceReply[];
  readonly missing: readonly string[];
  readonly missingCount: number;
}

/** One step of a `steps` reply. */
export interface StepReply {
  readonly step: number;
  readonly covered: boolean;
  readonly partitions: number;
  readonly bytes: number;
  /** `memory` where every partition of the step is there. */
  readonly tier: Tier;
  readonly pinned: boolean;
}

/** Reply of `steps`: in rising order, at most `STEPS_LIMIT`; `more` where the list was cut. */
export interface StepsReply {
  readonly steps: readonly StepReply[];
  readonly more?: true;
}
export const STEPS_LIMIT = 4096;

export interface VariableListReply {
  readonly variables: readonly VariableRecord[];
}

export interface DeleteReply {
  readonly partitions: number;
  readonly bytes: number;
}

export interface RollbackReply {
  readonly epoch: number;
}

/** Use of one tier. */
export interface TierUse {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** What one raw-service says of its room. */
export interface RawStorage {
  readonly id: string;
  readonly state: StorageState;
  readonly memory: TierUse;
  readonly disk: TierUse;
}

export interface StreamUse extends TierUse {
  readonly name: string;
  readonly messages: number;
}

/** Reply of `storage`. */
export interface StorageReply {
  readonly state: StorageState;
  readonly services: readonly RawStorage[];
  readonly streams: readonly StreamUse[];
}
