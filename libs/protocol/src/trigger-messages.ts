import type { Epoch, PartitionId, RawId, Stamp } from './names.js';
import type { TransformDefinition } from './trigger-schema.js';

/** Messages between meta-services, raw-services and trigger-engines. JSON; boxes in text form. */

/** On `pointerSubject`: a partition that touches the trigger's box was indexed. It may come more than once. */
export interface PointerMessage {
  readonly trigger: string;
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly epoch: Epoch;
  /** Of the partition. */
  readonly id: PartitionId;
  /** Of the whole partition. */
  readonly box: string;
  readonly bytes: number;
  readonly stamp: Stamp;
  readonly raw: RawId;
}

/** A part of a box and the partition that has its bytes. */
export interface PieceAddress {
  readonly id: PartitionId;
  /** The part of the partition that is meant. */
  readonly box: string;
  readonly raw: RawId;
}

/**
 * `check` of a raw-service: runs one round of checks on pieces that it holds. The reply is a `CheckReply` in
 * MessagePack; where it does not fit one message it comes in several, as a streaming get does.
 */
export interface CheckRequest {
  readonly variable: string;
  /** A round of the kernels library. */
  readonly round: unknown;
  readonly pieces: readonly CheckPiece[];
  /** Milliseconds that the caller waits. */
  readonly deadlineMs: number;
}

/** A piece to check; `previous` tiles it with the data of the step that it is compared with. */
export interface CheckPiece extends PieceAddress {
  readonly previous?: readonly PieceAddress[];
}

/** One entry for each piece of the request, in its order. */
export interface CheckReply {
  readonly results: readonly CheckResult[];
}

/**
 * What became of a piece: the encoded partial; or why it has none for ever; or that the partition is not here (any
 * more), so that a fresh plan may know better.
 */
export type CheckResult = { readonly partial: Uint8Array } | { readonly failure: string } | { readonly gone: true };

/** `derive` of a raw-service: puts what a transform makes of pieces that it holds as partitions of another variable. */
export interface DeriveRequest {
  readonly transform: TransformDefinition;
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly to: string;
  /** Each with the id that its derived partition gets, so that a repetition stores nothing twice. */
  readonly pieces: readonly (PieceAddress & { readonly derivedId: PartitionId })[];
  /** Id of the action that asks for it. */
  readonly activity: string;
  readonly deadlineMs: number;
}

/** One entry for each piece of the request, in its order; `skipped`: nothing of the piece is left by the transform. */
export interface DeriveReply {
  readonly results: readonly (
    | { readonly stored: PartitionId }
    | { readonly skipped: true }
    | { readonly failure: string; readonly retryable: boolean }
    | { readonly gone: true }
  )[];
}

/** `persist` of a raw-service: partitions are on disk, synced, before it is answered; they stay where else they are. */
export interface PersistRequest {
  readonly ids: readonly PartitionId[];
}

export interface PersistReply {
  readonly persisted: readonly PartitionId[];
  /** Not here. */
  readonly gone: readonly PartitionId[];
}

/** `undecided` of a trigger-engine: which of the steps a window must keep, since a trigger will still decide them. */
export interface UndecidedRequest {
  readonly variable: string;
  readonly run: string;
  readonly steps: readonly number[];
  /** Those that the asker knows with this primary; one that the engine does not know keeps the steps. */
  readonly triggers: readonly { readonly name: string; readonly generation: number }[];
}

export interface UndecidedReply {
  readonly undecided: readonly number[];
}
