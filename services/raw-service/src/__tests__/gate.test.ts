import { describe, expect, test } from '@jest/globals';
import { Gate } from '../gate.js';

describe('Gate', () => {
  test('runs a bounded number at a time, in order, also past failures', async () => {
    const gate = new Gate(3);
    let running = 0;
    let most = 0;
    const started: number[] = [];
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        gate.run(async () => {
          started.push(i);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          if (i % 4 === 0) throw new Error('failed');
          return i;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(started).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(5);
    expect(await gate.run(async () => 'again')).toBe('again');
  });
});
