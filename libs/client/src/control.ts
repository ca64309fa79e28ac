import { type Bus, retrying } from '@tidegate/bus';

/** One control request is repeated after this long without an answer. */
const ATTEMPT_MS = 5000;

/**
 * A control request, repeated where nobody answers. Every control request of the contract may be repeated: it names
 * the state that it wants, not a change.
 */
export function control<T>(
  bus: Bus,
  subject: string,
  body: unknown,
  options: { readonly deadline: number; readonly signal?: AbortSignal | undefined; readonly waitMs?: number },
): Promise<T> {
  const { signal, waitMs = 0 } = options;
  return retrying(
    (remainingMs) =>
      bus.requestJson<T>(subject, body, {
        timeoutMs: Math.min(remainingMs, ATTEMPT_MS + waitMs),
        ...(signal && { signal }),
      }),
    options,
  );
}
