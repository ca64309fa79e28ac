import { isTransient, sleep } from '@tidegate/bus';
import { isTidegateError } from '@tidegate/protocol';

/** What becomes of a failed attempt: it is told now and then, and made again after a pause. */
export interface Again {
  readonly pauseMs: number;
  readonly tell: () => void;
}

/**
 * Makes an attempt again and again until it succeeds or `judge` finds no reason to go on.
 *
 * @param judge of the failure and how many there were; undefined ends with that failure
 * @throws the signal's reason; a failure that is not tried again
 */
export async function attempts<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal,
  judge: (error: unknown, failures: number) => Again | undefined,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const again = judge(error, failures);
      if (again === undefined) throw error;
      // At the first, second, fourth, … failure.
      if ((failures & (failures - 1)) === 0) again.tell();
      await sleep(again.pauseMs, signal);
    }
  }
}

/** True for a failure that waiting may mend. */
export function mayPass(error: unknown): boolean {
  return isTransient(error) || (isTidegateError(error) && error.retryable);
}
