import { describe, expect, it } from '@jest/globals';
import { BadRequestError, BusyError, TimeoutError, UnavailableError } from '@tidegate/protocol';
import { AttemptTimeoutError } from '../bus-errors.js';
import { monotonicNow } from '../clock.js';
import { isTransient, retryDelay, retrying } from '../retry.js';

const soon = (ms: number): number => monotonicNow() + ms;

/** Fails with the errors in turn, then succeeds. */
function failing(...errors: unknown[]): { attempt: (remainingMs: number) => Promise<string>; remaining: number[] } {
  const remaining: number[] = [];
  return {
    remaining,
    attempt: (remainingMs) => {
      remaining.push(remainingMs);
      const error = errors.shift();
      return error === undefined ? Promise.resolve('done') : Promise.reject(error);
    },
  };
}

describe('retrying', () => {
  it('repeats what is transient until it succeeds, and says what remains', async () => {
    const { attempt, remaining } = failing(
      new UnavailableError('a', 0),
      new BusyError('b', 1),
      new AttemptTimeoutError('s', 1),
    );
    const retried: unknown[] = [];
    expect(await retrying(attempt, { deadline: soon(5000), onRetry: (error) => retried.push(error) })).toBe('done');
    expect(remaining).toHaveLength(4);
    expect(remaining).toEqual(remaining.toSorted((a, b) => b - a));
    expect(retried.map(isTransient)).toEqual([true, true, true]);
  });

  it('passes on at once what is not', async () => {
    const error = new BadRequestError('box', 'no');
    const { attempt, remaining } = failing(error);
    await expect(retrying(attempt, { deadline: soon(5000) })).rejects.toBe(error);
    expect(remaining).toHaveLength(1);
    expect(isTransient(new TimeoutError('a wait that ended'))).toBe(false);
  });

  it('throws the last UNAVAILABLE or BUSY at the deadline', async () => {
    const last = new UnavailableError('nobody', 0);
    await expect(retrying(() => Promise.reject(last), { deadline: soon(30) })).rejects.toBe(last);
  });

  it('throws TIMEOUT with its cause at the deadline after attempts that timed out', async () => {
    const last = new AttemptTimeoutError('subject', 10);
    const failure = retrying(() => Promise.reject(last), { deadline: soon(30) });
    await expect(failure).rejects.toThrow(TimeoutError);
    await expect(failure).rejects.toMatchObject({ cause: last });
  });

  it('makes no attempt beyond the deadline and does not sleep towards it in vain', async () => {
    const { attempt, remaining } = failing();
    await expect(retrying(attempt, { deadline: soon(-1) })).rejects.toThrow(TimeoutError);
    expect(remaining).toEqual([]);
    const start = monotonicNow();
    await expect(
      retrying(() => Promise.reject(new BusyError('later', 4000)), { deadline: soon(3000) }),
    ).rejects.toThrow(BusyError);
    expect(monotonicNow() - start).toBeLessThan(1000);
  });

  it('ends with the signal', async () => {
    const abort = new AbortController();
    const running = retrying(() => Promise.reject(new UnavailableError('a', 5000)), {
      deadline: soon(60_000),
      signal: abort.signal,
    });
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect(retrying(() => Promise.resolve(1), { deadline: soon(60_000), signal: abort.signal })).rejects.toThrow(
      'enough',
    );
  });
});

describe('retryDelay', () => {
  const none = new AttemptTimeoutError('s', 1);

  it('doubles from 10 ms up to 500 ms, with jitter below', () => {
    expect([1, 2, 3, 6, 7, 50].map((failures) => retryDelay(none, failures, () => 1))).toEqual([
      10, 20, 40, 320, 500, 500,
    ]);
    expect([1, 7].map((failures) => retryDelay(none, failures, () => 0))).toEqual([5, 250]);
  });

  it('heeds what the error asks for, within bounds', () => {
    expect(retryDelay(new BusyError('b', 700), 1, () => 1)).toBe(700);
    expect(retryDelay(new UnavailableError('b', 3), 3, () => 1)).toBe(40);
    expect(retryDelay(new UnavailableError('b', 3_600_000), 1, () => 1)).toBe(5000);
  });
});
