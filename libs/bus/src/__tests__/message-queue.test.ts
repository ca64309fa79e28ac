import { expect, it } from '@jest/globals';
import { MessageQueue } from '../message-queue.js';
import type { StreamMessage } from '../ordered-consumer.js';

const message = (sequence: number, data = new Uint8Array()): StreamMessage => ({
  subject: 's',
  sequence,
  storedAt: 0,
  data,
  header: () => '',
});

it('gives messages in order, each a copy', () => {
  const queue = new MessageQueue();
  const data = Uint8Array.of(7);
  queue.push(message(1, data));
  queue.push(message(2));
  data[0] = 8;
  const first = queue.take();
  expect([first?.sequence, [...(first?.data ?? [])]]).toEqual([1, [7]]);
  expect(queue.take()?.sequence).toBe(2);
  expect(queue.take()).toBeUndefined();
});

it('ends a wait for more by a message, and by a wake', async () => {
  const queue = new MessageQueue();
  const more = queue.more();
  queue.push(message(1));
  await more;
  queue.take();
  const again = queue.more();
  queue.wake();
  await again;
});

it('is ready for more when the reader has taken all', async () => {
  const queue = new MessageQueue();
  await queue.ready();
  queue.push(message(1));
  let ready = false;
  const drained = queue.ready().then(() => {
    ready = true;
  });
  await Promise.resolve();
  expect(ready).toBe(false);
  queue.take();
  const more = queue.more();
  await drained;
  queue.push(message(2));
  await more;
});
