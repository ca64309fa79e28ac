import { type Bus, NoResponderError, sleep } from '@tidegate/bus';
import { type LookupReply, type PutReply, rawSubject, TimeoutError, UnavailableError } from '@tidegate/protocol';

const EVERY_MS = 500;
const ANSWER_MS = 1000;

/** The outcome of `reply`, or that of a watch which begins when the reply is late: most puts never pay for one. */
export function watched<T>(reply: Promise<T>, watch: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let over: AbortController | undefined;
    const timer = setTimeout(() => {
      over = new AbortController();
      watch(over.signal).then(resolve, reject);
    }, EVERY_MS);
    const end = () => {
      clearTimeout(timer);
      over?.abort();
    };
    reply.then(resolve, reject).finally(end);
  });
}

/**
 * Watches over a put that was sent: asks its raw-service how it stands, so that the death of the service (which no
 * message tells) costs a fraction of a second and not a time-out that is generous enough for a busy one.
 *
 * @returns the put's reply, where only the reply's message was lost
 * @throws UnavailableError where the service is gone or, being another process now, never heard of the put
 */
export async function watchPut(bus: Bus, raw: string, id: string, signal: AbortSignal): Promise<PutReply> {
  let unheard = 0;
  for (;;) {
    try {
      const { state, reply } = await bus.requestJson<LookupReply>(
        rawSubject(raw, 'lookup'),
        { id },
        { timeoutMs: ANSWER_MS, signal },
      );
      if (reply) return reply;
      // The first question may overtake the put itself on its way.
      unheard = state === 'absent' ? unheard + 1 : 0;
      if (unheard > 1) throw new UnavailableError(`raw-service ${raw} lost the put: it was restarted`, 1);
    } catch (error) {
      if (error instanceof NoResponderError)
        throw new UnavailableError(`raw-service ${raw} is gone`, 1, { cause: error });
      if (!(error instanceof TimeoutError)) throw error;
    }
    await sleep(EVERY_MS, signal);
  }
}
