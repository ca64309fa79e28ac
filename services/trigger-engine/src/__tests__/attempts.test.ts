import { expect, jest, test } from '@jest/globals';
import { UnavailableError } from '@tidegate/protocol';
import { attempts, mayPass } from '../attempts.js';

const never = new AbortController().signal;

test('tries until it succeeds, and tells at the first, second and fourth failure', async () => {
  let left = 5;
  const told: number[] = [];
  const attempt = async (): Promise<string> => {
    if (left-- > 0) throw new Error('not yet');
    return 'done';
  };
  const judge = (_: unknown, failures: number) => ({ pauseMs: 0, tell: () => void told.push(failures) });
  expect(await attempts(attempt, never, judge)).toBe('done');
  expect(told).toEqual([1, 2, 4]);
});

test('ends with the failure that is not to be tried again, and with the reason of the signal', async () => {
  const fails = jest.fn(() => Promise.reject(new Error('for good')));
  await expect(attempts(fails, never, () => undefined)).rejects.toThrow('for good');
  expect(fails).toHaveBeenCalledTimes(1);
  const stop = new AbortController();
  const waiting = attempts(fails, stop.signal, () => ({
    pauseMs: 60_000,
    tell: () => stop.abort(new Error('enough')),
  }));
  await expect(waiting).rejects.toThrow('enough');
});

test('tells what waiting may mend', () => {
  expect([mayPass(new UnavailableError('later', 1)), mayPass(new Error('a bug'))]).toEqual([true, false]);
});
