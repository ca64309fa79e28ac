import { monotonicNow, type ShardRouter, sleep } from '@tidegate/bus';
import { type Box, formatBox } from '@tidegate/geometry';
import {
  absentError,
  type Epoch,
  NotCoveredError,
  NotFoundError,
  type PlanReply,
  type PlanRequest,
  TimeoutError,
  UnavailableError,
} from '@tidegate/protocol';
import { halves, joinMissing, joinPieces, type PlannedPiece } from './plan.js';
import type { VariableHandle } from './variable-handle.js';

/** A region of one step of a run. */
export interface Region {
  readonly variable: VariableHandle;
  readonly run: string;
  readonly step: number;
  readonly box: Box;
}

export interface PlanOptions {
  /** Monotonic milliseconds up to which the region may still become covered. */
  readonly waitUntil: number;
  /** Monotonic milliseconds up to which owners are looked for. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

/** What the shards know of a region. */
export interface RegionPlan {
  readonly covered: boolean;
  readonly epoch: Epoch;
  readonly pieces: readonly PlannedPiece[];
  readonly missing: readonly string[];
  readonly missingCount: number;
  readonly dropped: boolean;
}

/** Between two questions to a shard whose inventory is not complete yet. */
const INCOMPLETE_MS = 50;

/**
 * Plans a region at the shards that it touches, and joins their answers. Not covered is an answer here, no error.
 *
 * @throws UnavailableError while a raw-service that may hold newer data has not told its inventory
 */
export async function planRegion(router: ShardRouter, region: Region, options: PlanOptions): Promise<RegionPlan> {
  for (;;) {
    const replies = await askShards(router, region, options);
    if (replies.some((reply) => reply.split)) return planHalves(router, region, options);
    const absent = new Set(replies.flatMap((reply) => reply.absent ?? []));
    if (absent.size === 0) return joinReplies(replies);
    if (monotonicNow() + INCOMPLETE_MS > options.deadline) {
      throw absentError(absent);
    }
    await sleep(INCOMPLETE_MS, options.signal);
  }
}

/**
 * The same, where only a covered region will do.
 *
 * @throws NotCoveredError without a wait, TimeoutError after one, both with the missing boxes; NotFoundError for a step
 *   that its window dropped
 */
export async function planCovered(
  router: ShardRouter,
  region: Region,
  options: PlanOptions & { readonly waited: boolean },
): Promise<RegionPlan> {
  const plan = await planRegion(router, region, options);
  if (plan.covered) return plan;
  const { record } = region.variable;
  const what = `step ${region.step} of variable "${record.name}", run "${region.run}"`;
  if (plan.dropped) throw new NotFoundError(`${what} was dropped by its window of ${record.window} steps`);
  const { missing, missingCount } = plan;
  const message = `expected data in all of ${formatBox(region.box)} at ${what}, but ${missingCount} box${missingCount === 1 ? ' has' : 'es have'} none: ${missing.slice(0, 3).join(' ')}${missingCount > 3 ? ' …' : ''}`;
  if (options.waited) throw new TimeoutError(`the wait ended: ${message}`, { missing, missingCount });
  throw new NotCoveredError(message, { missing, missingCount });
}

async function askShards(
  router: ShardRouter,
  region: Region,
  { waitUntil, deadline, signal }: PlanOptions,
): Promise<readonly PlanReply[]> {
  const waitMs = Math.max(0, waitUntil - monotonicNow());
  return router.request<PlanRequest, PlanReply>(
    'plan',
    region.variable.map.shardsOf(region.box),
    () => ({
      variable: region.variable.record.name,
      run: region.run,
      step: region.step,
      box: formatBox(region.box),
      waitMs: Math.max(0, Math.round(waitUntil - monotonicNow())),
    }),
    { deadline, signal, waitMs },
  );
}

async function planHalves(router: ShardRouter, region: Region, options: PlanOptions): Promise<RegionPlan> {
  const parts = halves(region.box);
  if (!parts) throw new UnavailableError('a shard answered that a single cell has too many pieces', 1000);
  const [left, right] = await Promise.all(parts.map((box) => planRegion(router, { ...region, box }, options)));
  if (!left || !right) throw new TypeError('two halves make two plans');
  return {
    covered: left.covered && right.covered,
    epoch: Math.max(left.epoch, right.epoch) as Epoch,
    pieces: [...left.pieces, ...right.pieces],
    ...joinMissing([left, right]),
    dropped: left.dropped || right.dropped,
  };
}

function joinReplies(replies: readonly PlanReply[]): RegionPlan {
  return {
    covered: replies.every((reply) => reply.covered),
    epoch: Math.max(0, ...replies.map((reply) => reply.epoch)) as Epoch,
    pieces: joinPieces(replies.flatMap((reply) => reply.pieces)),
    ...joinMissing(replies),
    dropped: replies.some((reply) => reply.dropped === true),
  };
}
