import { type Bus, monotonicNow, openBucket, retrying } from '@tidegate/bus';
import { joinPieces, type PlannedPiece, planRegion, type VariableHandle } from '@tidegate/client/region';
import { type Box, formatBox, intersect, parseBox } from '@tidegate/geometry';
import {
  type LookupReply,
  type LookupRequest,
  type PartitionId,
  type Piece,
  type RawId,
  rawSubject,
  UnavailableError,
} from '@tidegate/protocol';
import type { MeasureContext } from './context.js';

/** One partition that is decided alone. */
export interface PartitionAddress {
  readonly id: PartitionId;
  /** The whole of it. */
  readonly box: Box;
  readonly raw: RawId;
  readonly bytes: number;
}

/** A trigger's box at a step of a run, or the part of it that one partition holds. */
export interface StepAddress {
  readonly variable: VariableHandle;
  /** The trigger's. */
  readonly box: Box;
  readonly run: string;
  readonly step: number;
  /** Full name. */
  readonly trigger: string;
  /** Set with `when: partition`. */
  readonly partition?: PartitionAddress;
}

/** The pieces of a covered box; disjoint, in box order: lexicographic by their lower corners. */
export interface StepPlan {
  /** Of the run, as the shards know it; of a partition that is decided alone, its own. */
  readonly epoch: number;
  readonly pieces: readonly Piece[];
}

/** `dropped`: its window dropped the step, so that nothing more will come. */
export type Planned =
  | { readonly covered: true; readonly plan: StepPlan }
  | { readonly covered: false; readonly missing: readonly Box[]; readonly dropped?: true };

/** How long the owners of shards, or the raw-service of a partition, are looked for. */
const PLAN_MS = 15_000;
/** How long a put that is under way may take to end before it is asked for again. */
const UNDERWAY_MS = 2000;
const ATTEMPT_MS = 5000;
/** A box with more pieces than this may have been planned in halves, which cut partitions. */
const SPLIT_PIECES = 1000;

/** The part of the trigger's box that is measured. @throws RangeError where the partition lies outside */
export function measuredBox({ box, partition }: StepAddress): Box {
  if (partition === undefined) return box;
  const part = intersect(box, partition.box);
  if (part === undefined) throw new RangeError(`partition ${partition.id} lies outside ${formatBox(box)}`);
  return part;
}

/**
 * What the shards hold of a box at a step; of a partition that is decided alone, what its raw-service does.
 *
 * @throws UnavailableError or TimeoutError where no owner of a shard, or not the raw-service, answers for 15 seconds
 */
export async function planStep(context: MeasureContext, at: StepAddress, signal: AbortSignal): Promise<Planned> {
  if (at.partition !== undefined) return planPartition(context, at, at.partition, signal);
  const now = monotonicNow();
  const plan = await planRegion(context.router, at, { waitUntil: now, deadline: now + PLAN_MS, signal });
  if (plan.covered) return { covered: true, plan: { epoch: plan.epoch, pieces: inBoxOrder(whole(plan.pieces)) } };
  return { covered: false, missing: plan.missing.map(parseBox), ...(plan.dropped && { dropped: true }) };
}

async function planPartition(
  { bus }: MeasureContext,
  at: StepAddress,
  { id, raw, bytes }: PartitionAddress,
  signal: AbortSignal,
): Promise<Planned> {
  const box = measuredBox(at);
  const request: LookupRequest = { id, waitMs: UNDERWAY_MS };
  const lookedUp = retrying(
    async () => {
      const answer = await bus.requestJson<LookupReply>(rawSubject(raw, 'lookup'), request, {
        timeoutMs: ATTEMPT_MS,
        signal,
      });
      if (answer.state !== 'underway') return answer;
      throw new UnavailableError(`raw-service ${raw} is still taking partition ${id}`, 0);
    },
    { deadline: monotonicNow() + PLAN_MS, signal },
  );
  const { state, reply } = await lookedUp.catch(async (error: unknown): Promise<LookupReply> => {
    signal.throwIfAborted();
    if (await isKnown(bus, raw)) throw error;
    return { state: 'absent' };
  });
  if (state !== 'stored' || reply === undefined) return { covered: false, missing: [box] };
  const piece: Piece = { id, box: formatBox(box), raw, tier: 'memory', bytes };
  return { covered: true, plan: { epoch: reply.epoch, pieces: [piece] } };
}

/** False where a raw-service was given up, with what it held. */
async function isKnown(bus: Bus, raw: RawId): Promise<boolean> {
  return (await (await openBucket(bus, 'raws')).get(raw)) !== undefined;
}

/** Pieces in which no partition is cut where the plan was made in halves: their boxes must not depend on that. */
function whole(pieces: readonly PlannedPiece[]): readonly PlannedPiece[] {
  if (pieces.length <= SPLIT_PIECES) return pieces;
  return joinPieces(pieces.map((piece) => ({ ...piece, box: formatBox(piece.box) })));
}

function inBoxOrder(pieces: readonly PlannedPiece[]): Piece[] {
  return [...pieces].sort(byLower).map((piece) => ({ ...piece, box: formatBox(piece.box) }));
}

/** Disjoint boxes have different lower corners; opaque partitions may share theirs. */
function byLower(a: PlannedPiece, b: PlannedPiece): number {
  for (const [axis, value] of a.box.lower.entries()) {
    const difference = value - (b.box.lower[axis] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
