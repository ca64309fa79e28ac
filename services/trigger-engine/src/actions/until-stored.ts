import { isTransient, JetStreamError, type Logger, retryDelay, sleep } from '@tidegate/bus';
import { isTidegateError } from '@tidegate/protocol';

/** Attempts at what JetStream refuses with an error of its own, which may be for good. */
const REFUSALS = 10;

/**
 * Repeats a publish that must not be lost until it is stored: for as long as there is no room, no leader, no connection.
 *
 * @param attempt must do no harm when an earlier one was carried out after all
 * @throws what cannot be mended by waiting; the signal's reason
 */
export async function untilStored<T>(
  attempt: () => Promise<T>,
  { logger, what, signal }: { readonly logger: Logger; readonly what: string; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error, failures)) throw error;
      // At the first, second, fourth, … failure.
      if ((failures & (failures - 1)) === 0) logger.warn({ err: error, failures }, `${what} is not stored yet`);
      await sleep(retryDelay(error, failures, Math.random), signal);
    }
  }
}

function mayPass(error: unknown, failures: number): boolean {
  if (error instanceof JetStreamError) return failures < REFUSALS;
  return isTransient(error) || (isTidegateError(error) && error.retryable);
}
