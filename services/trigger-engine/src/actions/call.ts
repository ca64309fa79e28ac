import { DisconnectedError, headerSafe, isTransient, retryDelay, sleep } from '@tidegate/bus';
import { encodeBody, HEADERS } from '@tidegate/protocol';
import type { ActionContext } from './context.js';
import { type EntryOf, eventOfDecision, type Occasion } from './occasion.js';

const ATTEMPTS = 3;

/**
 * Calls a responder outside with the event and an idempotency key: it may see the same call more than once.
 *
 * @throws the error of the last of three attempts, or of the first that the responder refused; the signal's reason
 */
export async function callOutside(
  { bus }: ActionContext,
  { id, action }: EntryOf<'call'>,
  { decision, signal }: Occasion,
): Promise<void> {
  const { subject, timeoutMs } = action;
  const body = encodeBody({ ...eventOfDecision(decision), idempotencyKey: id }, 'json');
  const headers = { [HEADERS.activity]: headerSafe(id) };
  for (let failures = 1; ; failures++) {
    try {
      await bus.request(subject, body, { timeoutMs, signal, headers });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      // A lost connection is none of the responder's attempts.
      if (error instanceof DisconnectedError) failures--;
      else if (failures === ATTEMPTS) throw error;
      await sleep(retryDelay(error, failures + 1, Math.random), signal);
    }
  }
}
