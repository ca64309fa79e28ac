import { describe, expect, test } from '@jest/globals';
import {
  DELAY_POLICY,
  type DelayState,
  NO_DELAY,
  observeDelay,
  standingDelay,
  surplusWorkers,
} from '../queue-delay.js';

/** Feeds delays as [time, delay]; answers the times at which another worker was asked for. */
function growths(samples: readonly (readonly [now: number, delayMs: number])[]): number[] {
  let state: DelayState = NO_DELAY;
  const times: number[] = [];
  for (const [now, delayMs] of samples) {
    const next = observeDelay(state, { now, delayMs });
    state = next.state;
    if (next.grow) times.push(now);
  }
  return times;
}

describe('observeDelay', () => {
  test('asks for a worker when a whole window had delays above the target, once a window', () => {
    const steady = Array.from({ length: 31 }, (_, i) => [i * 5, 9] as const);
    expect(growths(steady)).toEqual([50, 100, 150]);
  });

  test('one task that did not wait is enough not to', () => {
    const burst = Array.from({ length: 31 }, (_, i) => [i * 5, i % 8 === 0 ? 1 : 400] as const);
    expect(growths(burst)).toEqual([]);
    expect(growths(Array.from({ length: 31 }, (_, i) => [i * 5, DELAY_POLICY.targetMs]))).toEqual([]);
  });

  test('a window from long ago does not count', () => {
    expect(
      growths([
        [0, 80],
        [10, 80],
        [5000, 80],
      ]),
    ).toEqual([]);
    expect(
      growths([
        [0, 80],
        [10, 80],
        [99, 80],
      ]),
    ).toEqual([99]);
  });

  test('the standing delay is the least one of the window before', () => {
    let state = NO_DELAY;
    for (const [now, delayMs] of [
      [0, 30],
      [20, 7],
      [40, 90],
      [60, 1],
    ] as const) {
      state = observeDelay(state, { now, delayMs }).state;
    }
    expect(state).toEqual({ windowEnd: 110, least: 1, standing: 7 });
    expect([standingDelay(state, 159), standingDelay(state, 160)]).toEqual([7, 0]);
  });
});

describe('surplusWorkers', () => {
  test('those that were idle for long may go, but for the least number', () => {
    const at = { now: 20_000, workers: 4, minWorkers: 1 };
    expect(surplusWorkers([0, 9_000, 10_001, 19_000], at)).toBe(2);
    expect(surplusWorkers([0, 0, 0, 0], at)).toBe(3);
    expect(surplusWorkers([0, 0], { ...at, workers: 4, minWorkers: 4 })).toBe(0);
    expect(surplusWorkers([], at)).toBe(0);
  });
});
