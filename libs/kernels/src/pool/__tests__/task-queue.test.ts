import { expect, test } from '@jest/globals';
import { TaskQueue } from '../task-queue.js';

test('first in, first out; the age is that of the oldest', async () => {
  let now = 100;
  const queue = new TaskQueue<string>({ limit: 9, now: () => now });
  expect(queue.oldestMs).toBe(0);
  const first = queue.push('a', undefined);
  now = 130;
  const second = queue.push('b', undefined);
  now = 150;
  expect([queue.length, queue.oldestMs]).toEqual([2, 50]);
  const task = queue.shift();
  expect([task?.request, queue.oldestMs]).toEqual(['a', 20]);
  task?.resolve(1);
  queue.shift()?.reject(new Error('no'));
  expect(await first).toBe(1);
  await expect(second).rejects.toThrow('no');
  expect(queue.shift()).toBeUndefined();
});

test('it is bounded', async () => {
  const queue = new TaskQueue<number>({ limit: 1, now: () => 0 });
  const first = queue.push(1, undefined);
  await expect(queue.push(2, undefined)).rejects.toMatchObject({ code: 'BUSY', retryAfterMs: 100 });
  queue.rejectAll(new Error('over'));
  await expect(first).rejects.toThrow('over');
  expect(queue.length).toBe(0);
});

test('an aborted task leaves the queue, and one that was taken out is rejected', async () => {
  const queue = new TaskQueue<number>({ limit: 9, now: () => 0 });
  const controller = new AbortController();
  const waiting = queue.push(1, controller.signal);
  const other = queue.push(2, undefined);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(queue.shift()?.request).toBe(2);
  const late = new AbortController();
  const running = queue.push(3, late.signal);
  const task = queue.shift();
  late.abort(new Error('too late'));
  await expect(running).rejects.toThrow('too late');
  task?.resolve('ignored');
  queue.rejectAll(new Error('never seen'));
  expect(await Promise.race([other, 'still waiting'])).toBe('still waiting');
});
