import { monotonicNow, retrying, sleep } from '@tidegate/bus';
import {
  type DeriveReply,
  type DeriveRequest,
  NotFoundError,
  type Piece,
  rawSubject,
  UnavailableError,
} from '@tidegate/protocol';
import { groupPieces } from '../measure/index.js';
import type { ActionContext } from './context.js';
import { decidedPieces } from './decided-pieces.js';
import { derivedId } from './derived-id.js';
import type { EntryOf, Occasion } from './occasion.js';

/** How long room for the derived data, and raw-services, are waited for. */
const DERIVE_MS = 60_000;
const ATTEMPT_MS = 30_000;
/** A raw-service gives up this much earlier than its caller, so that its refusal is heard. */
const MARGIN_MS = 250;
const PAUSE_MS = 500;
const REPLANS = 5;

type Result = DeriveReply['results'][number];

/**
 * Has the raw-services put what a transform makes of a decision's pieces. Doing it again stores nothing twice.
 *
 * @throws NotFoundError where the data is gone or goes on moving; UnavailableError for what a raw-service could not do;
 *   the signal's reason
 */
export async function derivePieces(
  context: ActionContext,
  entry: EntryOf<'derive'>,
  occasion: Occasion,
): Promise<void> {
  const { decision, signal } = occasion;
  const deadline = monotonicNow() + DERIVE_MS;
  for (let moves = 0; ; ) {
    const { pieces } = await decidedPieces(context, decision, signal);
    const results = await deriveAll(context, { pieces, entry, occasion, deadline });
    const failures = results.filter((result) => 'failure' in result);
    const final = failures.find(({ retryable }) => !retryable || monotonicNow() > deadline);
    if (final !== undefined) {
      throw new UnavailableError(`${failures.length} of ${results.length} pieces: ${final.failure}`, 0);
    }
    const moved = results.some((result) => 'gone' in result);
    if (failures.length === 0 && !moved) return;
    if (moved && ++moves > REPLANS) throw new NotFoundError(`the data moved ${moves} times while it was transformed`);
    await sleep(PAUSE_MS, signal);
  }
}

async function deriveAll(
  { bus }: ActionContext,
  {
    pieces,
    entry: { id: activity, action },
    occasion: { decision, signal },
    deadline,
  }: {
    readonly pieces: readonly Piece[];
    readonly entry: EntryOf<'derive'>;
    readonly occasion: Occasion;
    readonly deadline: number;
  },
): Promise<Result[]> {
  const { variable, run, step, time } = decision;
  const replies = await Promise.all(
    groupPieces(pieces).map((group) => {
      const request: DeriveRequest = {
        transform: action.transform,
        variable,
        run,
        step,
        to: action.to,
        pieces: group.pieces.map(({ id, box, raw }) => ({
          id,
          box,
          raw,
          derivedId: derivedId({ time, actionId: activity, box }),
        })),
        activity,
        deadlineMs: ATTEMPT_MS - MARGIN_MS,
      };
      const subject = rawSubject(group.raw, 'derive');
      return retrying(() => bus.requestJson<DeriveReply>(subject, request, { timeoutMs: ATTEMPT_MS, signal }), {
        deadline,
        signal,
      });
    }),
  );
  return replies.flatMap(({ results }) => results);
}
