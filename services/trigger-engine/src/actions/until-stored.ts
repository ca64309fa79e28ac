import { JetStreamError, type Logger, retryDelay } from '@tidegate/bus';
import { attempts, mayPass } from '../attempts.js';

/** Attempts at what JetStream refuses with an error of its own, which may be for good. */
const REFUSALS = 10;

/**
 * Repeats a publish that must not be lost until it is stored: for as long as there is no room, no leader, no connection.
 *
 * @param attempt must do no harm when an earlier one was carried out after all
 * @throws what cannot be mended by waiting; the signal's reason
 */
export function untilStored<T>(
  attempt: () => Promise<T>,
  { logger, what, signal }: { readonly logger: Logger; readonly what: string; readonly signal: AbortSignal },
): Promise<T> {
  return attempts(attempt, signal, (error, failures) => {
    const isRefused = error instanceof JetStreamError;
    if (isRefused ? failures >= REFUSALS : !mayPass(error)) return undefined;
    return {
      pauseMs: retryDelay(error, failures, Math.random),
      tell: () => logger.warn({ err: error, failures }, `${what} is not stored yet`),
    };
  });
}
