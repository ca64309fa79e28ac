import { describe, expect, it } from '@jest/globals';
import { monotonicNow, settledWithin, sleep, timerDelay } from '../clock.js';

describe('clock', () => {
  it('bounds delays to what a timer takes', () => {
    expect([timerDelay(-5), timerDelay(0.2), timerDelay(1e12)]).toEqual([0, 1, 2 ** 31 - 1]);
  });

  it('sleeps, and wakes with a signal', async () => {
    const start = monotonicNow();
    await sleep(20);
    expect(monotonicNow() - start).toBeGreaterThan(15);
    const abort = new AbortController();
    const slept = sleep(60_000, abort.signal);
    abort.abort(new Error('up'));
    await expect(slept).rejects.toThrow('up');
    await expect(sleep(60_000, abort.signal)).rejects.toThrow('up');
  });

  it('tells whether a promise settled in time, either way', async () => {
    expect(await settledWithin(Promise.resolve(), 1000)).toBe(true);
    expect(await settledWithin(Promise.reject(new Error('no')), 1000)).toBe(true);
    expect(await settledWithin(new Promise(() => {}), 5)).toBe(false);
  });
});
