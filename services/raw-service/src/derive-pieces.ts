import type { VariableHandle } from '@tidegate/client/region';
import { formatBox } from '@tidegate/geometry';
import { transformedShape } from '@tidegate/kernels';
import { type DeriveReply, isTidegateError, type PutDescriptor } from '@tidegate/protocol';
import { holdPiece } from './held-piece.js';
import { type TaskContext, withinDeadline } from './task-context.js';
import type { DeriveWork } from './task-requests.js';

type DeriveResult = DeriveReply['results'][number];
type DerivePiece = DeriveWork['pieces'][number];

/** Longest that a derived partition waits for its room: its bytes wait with it. */
const MAX_WAIT_MS = 2000;

/**
 * Puts what a transform makes of pieces that lie here as partitions of another variable, of the same run and step. They
 * are puts like any other, and a repetition stores nothing twice.
 *
 * @throws TimeoutError, UnavailableError for the whole; what fails for a piece is its result
 */
export function derivePieces(context: TaskContext, work: DeriveWork): Promise<DeriveReply> {
  return withinDeadline(context, work.deadlineMs, async (signal) => {
    const refusal = await misfit(context, work);
    if (refusal !== undefined) return { results: work.pieces.map(() => refusal) };
    const { wasm } = work.transform;
    const kernels = await context.kernels.find(wasm === undefined ? [] : [wasm.digest]);
    const piece = (place: DerivePiece) =>
      context.gates.far.run(async () => {
        signal.throwIfAborted();
        return derivePiece(context, work, { place, kernels, signal });
      });
    return { results: await Promise.all(work.pieces.map(piece)) };
  });
}

/** Why the transform does not fit its variables; undefined where it does. */
async function misfit({ catalog }: TaskContext, work: DeriveWork): Promise<DeriveResult | undefined> {
  const { variable, to, transform } = work;
  let source: VariableHandle;
  let target: VariableHandle;
  try {
    [source, target] = [await catalog.variable(variable), await catalog.variable(to)];
  } catch (error) {
    return failureOf(error);
  }
  const { dtype, shape } = transformedShape(transform, source.record.dtype, source.record.shape);
  const got = target.record;
  if (got.dtype === dtype && got.shape.length === shape.length && got.shape.every((extent, d) => extent === shape[d]))
    return undefined;
  const expected = `expected variable "${to}" to be ${dtype} of ${shape.join(' x ')}`;
  const origin = `as the transform makes it of "${variable}"`;
  return { failure: `${expected}, ${origin}, got ${got.dtype} of ${got.shape.join(' x ')}`, retryable: false };
}

async function derivePiece(
  context: TaskContext,
  { transform, variable, run, step, to, activity, deadlineMs }: DeriveWork,
  task: {
    readonly place: DerivePiece;
    readonly kernels: ReadonlyMap<string, Uint8Array>;
    readonly signal: AbortSignal;
  },
): Promise<DeriveResult> {
  const { place, kernels, signal } = task;
  if (context.store.has(place.derivedId)) return { stored: place.derivedId };
  try {
    const held = await holdPiece(context, place, variable);
    if (held === undefined) return { gone: true };
    const { dtype } = held.record;
    const made = await context.runner
      .transform({ transform, dtype, piece: place.box, data: held.data, kernels }, { signal })
      .finally(held.release);
    if (made === undefined) return { skipped: true };
    const descriptor: PutDescriptor = {
      variable: to,
      run,
      step,
      box: made.box,
      id: place.derivedId,
      wait: Math.round(Math.min(MAX_WAIT_MS, deadlineMs / 2)),
      derivedFrom: [{ run, variable, step, box: formatBox(place.box) }],
      activity,
    };
    await context.puts.put(descriptor, made.bytes);
    return { stored: place.derivedId };
  } catch (error) {
    if (signal.aborted) throw error;
    if (!context.store.has(place.id)) return { gone: true };
    return failureOf(error);
  }
}

function failureOf(error: unknown): DeriveResult {
  const { message } = error as Error;
  return { failure: message, retryable: isTidegateError(error) && error.retryable };
}
