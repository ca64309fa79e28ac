import { type Logger, retryDelay } from '@tidegate/bus';
import { attempts, mayPass } from '../attempts.js';

/** The shard went to another engine: whatever is under way for it ends. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** Pause after a failure that waiting does not mend by itself. */
const STUCK_MS = 2000;

/**
 * Repeats an attempt until it succeeds: nothing that is to be decided may be left out, so there is no end but success or the
 * signal. A failure that looks lasting is tried again as well, less often.
 *
 * @throws the signal's reason; LeaseLostError
 */
export function untilDone<T>(
  attempt: () => Promise<T>,
  { logger, what, signal }: { readonly logger: Logger; readonly what: string; readonly signal: AbortSignal },
): Promise<T> {
  return attempts(attempt, signal, (error, failures) => {
    if (error instanceof LeaseLostError) return undefined;
    const fields = { err: error, failures };
    return mayPass(error)
      ? { pauseMs: retryDelay(error, failures, Math.random), tell: () => logger.warn(fields, `${what}: not yet`) }
      : { pauseMs: STUCK_MS, tell: () => logger.error(fields, `${what}: failed, and is tried again`) };
  });
}
