import { isTransient, type Logger, retryDelay, sleep } from '@tidegate/bus';
import { isTidegateError } from '@tidegate/protocol';

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
export async function untilDone<T>(
  attempt: () => Promise<T>,
  { logger, what, signal }: { readonly logger: Logger; readonly what: string; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LeaseLostError) throw error;
      const passing = isTransient(error) || (isTidegateError(error) && error.retryable);
      // At the first, second, fourth, … failure.
      if ((failures & (failures - 1)) === 0) {
        if (passing) logger.warn({ err: error, failures }, `${what}: not yet`);
        else logger.error({ err: error, failures }, `${what}: failed, and is tried again`);
      }
      await sleep(passing ? retryDelay(error, failures, Math.random) : STUCK_MS, signal);
    }
  }
}
