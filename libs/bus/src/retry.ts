import { BusyError, TimeoutError, UnavailableError } from '@tidegate/protocol';
import { AttemptTimeoutError } from './bus-errors.js';
import { monotonicNow, sleep } from './clock.js';

/** How to go on after a failure. */
export interface RetryOptions {
  /** On the monotonic clock, in milliseconds: no attempt begins and no pause lasts beyond it. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  readonly now?: () => number;
  /** 0 <= x < 1, for the jitter. */
  readonly random?: () => number;
  /** Default: UNAVAILABLE, BUSY, and an attempt that timed out. */
  readonly retryOn?: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown, delayMs: number) => void;
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;
/** Longest `retryAfterMs` of an error that is heeded. */
const LONGEST_ADVICE_MS = 5000;

/** True for failures that another attempt may mend: UNAVAILABLE, BUSY, an attempt that timed out. */
export function isTransient(error: unknown): boolean {
  return error instanceof UnavailableError || error instanceof BusyError || error instanceof AttemptTimeoutError;
}

/** Pause before attempt `failures` + 1: exponential with jitter, 10 to 500 ms, and no less than the error asks for. */
export function retryDelay(error: unknown, failures: number, random: () => number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  const pause = longest * (0.5 + 0.5 * random());
  const advice = error instanceof UnavailableError || error instanceof BusyError ? error.retryAfterMs : 0;
  return Math.max(pause, Math.min(advice, LONGEST_ADVICE_MS));
}

/**
 * Repeats an attempt until it succeeds, fails for good, or the deadline comes.
 *
 * @throws the error that is not to be retried; at the deadline the last UNAVAILABLE or BUSY, else TimeoutError with
 *   the last error as its cause; the signal's reason
 */
export async function retrying<T>(attempt: (remainingMs: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { deadline, signal, now = monotonicNow, random = Math.random, retryOn = isTransient, onRetry } = options;
  let last: unknown;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    const remaining = deadline - now();
    if (remaining <= 0) throw atDeadline(last);
    try {
      return await attempt(remaining);
    } catch (error) {
      signal?.throwIfAborted();
      if (!retryOn(error)) throw error;
      last = error;
    }
    failures++;
    const delay = retryDelay(last, failures, random);
    if (now() + delay >= deadline) throw atDeadline(last);
    onRetry?.(last, delay);
    await sleep(delay, signal);
  }
}

function atDeadline(last: unknown): unknown {
  if (last instanceof UnavailableError || last instanceof BusyError) return last;
  const reason = last instanceof Error ? `: ${last.message}` : '';
  return new TimeoutError(`not done by its deadline${reason}`, undefined, { cause: last });
}
