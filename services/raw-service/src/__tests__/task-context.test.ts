import { describe, expect, test } from '@jest/globals';
import { TimeoutError, UnavailableError } from '@tidegate/protocol';
import { withinDeadline } from '../task-context.js';

const never = new Promise<never>(() => undefined);

describe('withinDeadline', () => {
  test('answers with the work, and leaves its signal alone', async () => {
    const { signal: stopped } = new AbortController();
    let given: AbortSignal | undefined;
    const work = async (signal: AbortSignal) => {
      given = signal;
      return 7;
    };
    await expect(withinDeadline({ stopped }, 10_000, work)).resolves.toBe(7);
    expect(given?.aborted).toBe(false);
  });

  test('ends at the deadline, with the stop, and with the first failure, and tells what still runs', async () => {
    const stop = new AbortController();
    const signals: AbortSignal[] = [];
    const hang = (signal: AbortSignal) => {
      signals.push(signal);
      return never;
    };
    await expect(withinDeadline({ stopped: stop.signal }, 1, hang)).rejects.toBeInstanceOf(TimeoutError);
    const stopping = withinDeadline({ stopped: stop.signal }, 10_000, hang);
    stop.abort();
    await expect(stopping).rejects.toBeInstanceOf(UnavailableError);
    await expect(withinDeadline({ stopped: stop.signal }, 10_000, hang)).rejects.toBeInstanceOf(UnavailableError);
    const failed = new Error('no');
    const fail = (signal: AbortSignal) => {
      signals.push(signal);
      return Promise.reject(failed);
    };
    await expect(withinDeadline({ stopped: new AbortController().signal }, 10_000, fail)).rejects.toBe(failed);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(signals[2]?.reason).toBe(failed);
  });
});
