import { describe, expect, test } from '@jest/globals';
import { Limiter } from '../limiter.js';

describe('Limiter', () => {
  test('runs so many tasks at a time, in order, also after failures', async () => {
    const limiter = new Limiter(2);
    const begun: number[] = [];
    const ends: ((fails: boolean) => void)[] = [];
    const task = (n: number) => () => {
      begun.push(n);
      return new Promise<number>((resolve, reject) => {
        ends[n] = (fails) => (fails ? reject(new Error(`${n} failed`)) : resolve(n));
      });
    };
    const results = [0, 1, 2, 3].map((n) => limiter.run(task(n)));
    expect(begun).toEqual([0, 1]);
    ends[1]?.(true);
    await expect(results[1]).rejects.toThrow('1 failed');
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.(false);
    ends[2]?.(false);
    expect(await results[2]).toBe(2);
    ends[3]?.(false);
    expect(await Promise.all([results[0], results[3]])).toEqual([0, 3]);
    const last = limiter.run(task(4));
    ends[4]?.(false);
    expect(await last).toBe(4);
  });
});
