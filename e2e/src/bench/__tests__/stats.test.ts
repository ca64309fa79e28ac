import { describe, expect, test } from '@jest/globals';
import { median, quantile, timings } from '../stats.js';

describe('quantile', () => {
  test('lies between the closest ranks', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20], 0.9)).toBeCloseTo(19);
    expect(quantile([7], 0.99)).toBe(7);
    expect([quantile([3, 1, 2], 0), quantile([3, 1, 2], 1)]).toEqual([1, 3]);
  });

  test('the median of nothing is no number', () => {
    expect(median([])).toBeNaN();
    expect(median([5, 1, 9])).toBe(5);
  });

  test('leaves its values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

test('timings run one after the other, each with its turn', async () => {
  const turns: number[] = [];
  let running = 0;
  const taken = await timings(5, async (turn) => {
    running++;
    expect(running).toBe(1);
    turns.push(turn);
    await Promise.resolve();
    running--;
  });
  expect(turns).toEqual([0, 1, 2, 3, 4]);
  expect(taken).toHaveLength(5);
  expect(taken.every((milliseconds) => milliseconds >= 0)).toBe(true);
});
