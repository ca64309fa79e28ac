import { itemSize } from '@tidegate/array';
import {
  BadRequestError,
  type CheckReply,
  type CheckResult,
  isTidegateError,
  type PartitionId,
  SizeMismatchError,
} from '@tidegate/protocol';
import { holdPiece, holdPieces } from './held-piece.js';
import { type TaskContext, withinDeadline } from './task-context.js';
import type { CheckPiecePlace, CheckWork } from './task-requests.js';

/**
 * Runs one round of checks on pieces that lie here. A piece that a task cannot be right for has a failure; one whose
 * partition is gone, or that of a piece it is compared with, says so.
 *
 * @throws BusyError, UnavailableError, TimeoutError: asked again, they may be done
 */
export function checkPieces(context: TaskContext, work: CheckWork): Promise<CheckReply> {
  return withinDeadline(context, work.deadlineMs, async (signal) => {
    const kernels = await context.kernels.find(work.round.kernels);
    const piece = async (place: CheckPiecePlace) => {
      const gate = isNear(context, place) ? context.gates.near : context.gates.far;
      return gate.run(() => {
        signal.throwIfAborted();
        return checkPiece(context, work, { place, kernels, signal });
      });
    };
    return { results: await Promise.all(work.pieces.map(piece)) };
  });
}

function isNear({ raw }: TaskContext, { previous = [] }: CheckPiecePlace): boolean {
  return previous.every((place) => place.raw === raw);
}

async function checkPiece(
  context: TaskContext,
  { variable, round }: CheckWork,
  task: {
    readonly place: CheckPiecePlace;
    readonly kernels: ReadonlyMap<string, Uint8Array>;
    readonly signal: AbortSignal;
  },
): Promise<CheckResult> {
  const { place, kernels, signal } = task;
  const releases: (() => void)[] = [];
  try {
    const held = await holdPiece(context, place, variable);
    if (held === undefined) return { gone: true };
    releases.push(held.release);
    if (held.record.dtype !== round.dtype)
      return { failure: `expected data of ${round.dtype}, got ${held.record.dtype}` };
    const compared = round.needsPrevious ? place.previous : undefined;
    const options = { variable, itemSize: itemSize(round.dtype), signal };
    const previous = compared && (await holdPieces(context, compared, options));
    if (compared !== undefined && previous === undefined) return { gone: true };
    if (previous) releases.push(previous.release);
    const { data } = held;
    const partial = await context.runner.check(
      { spec: round, piece: place.box, data, kernels, ...(previous && { previous: previous.data }) },
      { signal },
    );
    return { partial };
  } catch (error) {
    if (error instanceof BadRequestError || error instanceof SizeMismatchError) return { failure: error.message };
    // A file on disk may have been deleted before the worker opened it.
    if (isUnavailable(error) && !isAllHere(context, place)) return { gone: true };
    throw error;
  } finally {
    for (const release of releases) release();
  }
}

function isUnavailable(error: unknown): boolean {
  return isTidegateError(error) && error.code === 'UNAVAILABLE';
}

function isAllHere({ raw, store }: TaskContext, { id, previous = [] }: CheckPiecePlace): boolean {
  const ids: PartitionId[] = [id];
  for (const place of previous) if (place.raw === raw) ids.push(place.id);
  return ids.every((one) => store.has(one));
}
