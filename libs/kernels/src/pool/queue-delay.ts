/** When the pool grows and shrinks. All in milliseconds. */
export interface DelayPolicy {
  /** Queue delay that is no reason to act. */
  readonly targetMs: number;
  /** How long the delay has to stay above it. */
  readonly windowMs: number;
  /** A worker that had nothing to do for so long is one too many. */
  readonly idleMs: number;
}

export const DELAY_POLICY: DelayPolicy = { targetMs: 5, windowMs: 50, idleMs: 10_000 };

/** What is remembered of the delays seen. */
export interface DelayState {
  /** End of the window that is being looked at. */
  readonly windowEnd: number;
  /** The least delay in it so far. */
  readonly least: number;
  /** The least delay of the window before: the standing delay. */
  readonly standing: number;
}

export const NO_DELAY: DelayState = { windowEnd: Number.NEGATIVE_INFINITY, least: 0, standing: 0 };

/**
 * Takes a queue delay into account: that of a task which begins, or the age of the one that has waited longest. Asks
 * for another worker when not even the least delay of a window was within the target: a burst that drains by itself
 * does not count, as in CoDel (Nichols and Jacobson 2012). Another window has to pass before the next one is asked for.
 */
export function observeDelay(
  state: DelayState,
  { now, delayMs }: { now: number; delayMs: number },
  policy: DelayPolicy = DELAY_POLICY,
): { readonly state: DelayState; readonly grow: boolean } {
  if (now < state.windowEnd) {
    return { state: { ...state, least: Math.min(state.least, delayMs) }, grow: false };
  }
  // A window that nothing followed for long says nothing about now.
  const isRecent = now < state.windowEnd + policy.windowMs;
  const standing = isRecent ? state.least : 0;
  return { state: { windowEnd: now + policy.windowMs, least: delayMs, standing }, grow: standing > policy.targetMs };
}

/** The standing delay as it is now: none when nothing was seen for long. */
export function standingDelay(
  { windowEnd, standing }: DelayState,
  now: number,
  policy: DelayPolicy = DELAY_POLICY,
): number {
  return now < windowEnd + policy.windowMs ? standing : 0;
}

/** How many workers may go: idle for long, and above the least number. */
export function surplusWorkers(
  idleSince: readonly number[],
  { now, workers, minWorkers }: { now: number; workers: number; minWorkers: number },
  policy: DelayPolicy = DELAY_POLICY,
): number {
  const idle = idleSince.filter((since) => now - since >= policy.idleMs).length;
  return Math.max(0, Math.min(idle, workers - minWorkers));
}
