import { expect, it } from '@jest/globals';
import { inParallel } from '../in-parallel.js';

it('runs every item once, never more than so many at a time', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const items = Array.from({ length: 50 }, (_, n) => n);
  await inParallel(items, 4, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    done.push(item);
  });
  expect(done.sort((a, b) => a - b)).toEqual(items);
  expect(most).toBe(4);
});

it('needs no items, and fails with the first failure', async () => {
  await inParallel([], 4, () => Promise.reject(new Error('never called')));
  await expect(inParallel([1, 2], 2, (n) => Promise.reject(new Error(`item ${n}`)))).rejects.toThrow('item 1');
});
