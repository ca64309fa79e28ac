import { monotonicNow, retrying } from '@tidegate/bus';
import { NotFoundError, type PersistReply, type PersistRequest, type Piece, rawSubject } from '@tidegate/protocol';
import { groupPieces } from '../measure/index.js';
import type { ActionContext } from './context.js';
import { decidedPieces } from './decided-pieces.js';
import type { Occasion } from './occasion.js';

const PERSIST_MS = 60_000;
const ATTEMPT_MS = 30_000;
/** Bytes that a disk is trusted to write in a millisecond at least. */
const BYTES_PER_MS = 20_000;
const REPLANS = 5;

/**
 * Has the partitions of a decision written to disk. Done when they are synced.
 *
 * @throws NotFoundError where the data is gone or goes on moving; UnavailableError, TimeoutError; the signal's reason
 */
export async function persistPieces(context: ActionContext, { decision, signal }: Occasion): Promise<void> {
  for (let moves = 0; moves <= REPLANS; moves++) {
    const { pieces } = await decidedPieces(context, decision, signal);
    const gone = await Promise.all(
      groupPieces(distinct(pieces)).map(async (group) => {
        const bytes = group.pieces.reduce((sum, piece) => sum + piece.bytes, 0);
        const request: PersistRequest = { ids: group.pieces.map(({ id }) => id) };
        const extraMs = bytes / BYTES_PER_MS;
        const reply = await retrying(
          () =>
            context.bus.requestJson<PersistReply>(rawSubject(group.raw, 'persist'), request, {
              timeoutMs: ATTEMPT_MS + extraMs,
              signal,
            }),
          { deadline: monotonicNow() + PERSIST_MS + extraMs, signal },
        );
        return reply.gone.length;
      }),
    );
    if (gone.every((count) => count === 0)) return;
  }
  throw new NotFoundError(`the data moved ${REPLANS + 1} times while it was to be persisted`);
}

/** One piece of each partition. */
function distinct(pieces: readonly Piece[]): Piece[] {
  return [...new Map(pieces.map((piece) => [`${piece.raw} ${piece.id}`, piece])).values()];
}
