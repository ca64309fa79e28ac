/** Milliseconds of a clock that never jumps; only differences mean anything. */
export type MonotonicClock = () => number;

/** The process's monotonic clock. */
export const monotonicNow: MonotonicClock = () => performance.now();

/** Longest delay that a timer of the platform takes. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Bounds a delay for `setTimeout`, which would fire at once on a longer one. */
export function timerDelay(delayMs: number): number {
  return Math.min(Math.max(Math.ceil(delayMs), 0), MAX_DELAY_MS);
}

/**
 * Waits; a signal that aborts ends the wait.
 *
 * @throws the signal's reason
 */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, timerDelay(delayMs));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** True where the promise settled within the time; its rejection counts as settled. */
export async function settledWithin(promise: Promise<unknown>, delayMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timerDelay(delayMs));
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
