import type { Barrier } from './barrier.js';

/** Silence of a step that has begun after which the steps above it wait no longer for it. */
export const HOLD_BACK_MS = 1000;

/**
 * Until when a covered step is to be held back, so that a lower one which is still arriving is decided before it;
 * monotonic milliseconds, in the past where nothing holds it back.
 *
 * @param begun steps that have begun and are not covered
 */
export function heldUntil(step: number, begun: Iterable<Pick<Barrier, 'step' | 'lastArrival'>>): number {
  let until = -Infinity;
  for (const lower of begun) if (lower.step < step) until = Math.max(until, lower.lastArrival + HOLD_BACK_MS);
  return until;
}
