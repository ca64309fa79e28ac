import { expect, test } from '@jest/globals';
import { BusyError } from '@tidegate/protocol';
import { WaitRoom } from '../wait-room.js';

test('a wait ends once, for the first reason', async () => {
  const room = new WaitRoom(10);
  const wait = room.enter([1], 10_000);
  wait.wake('changed');
  wait.wake('lost');
  expect(await wait.ended).toBe('changed');
  expect(room.size).toBe(0);
});

test('a wait ends at its time', async () => {
  const room = new WaitRoom(10);
  expect(await room.enter([1], 3).ended).toBe('timeout');
  expect(await room.enter([1], -1).ended).toBe('timeout');
});

test('losing a shard ends the waits that meant it', async () => {
  const room = new WaitRoom(10);
  const waits = [room.enter([1, 2], 10_000), room.enter([3], 10_000), room.enter([2], 10_000)];
  room.loseShard(2);
  expect(room.size).toBe(1);
  expect(await waits[0]?.ended).toBe('lost');
  expect(await waits[2]?.ended).toBe('lost');
  room.close();
  expect(await waits[1]?.ended).toBe('lost');
});

test('no more than the limit wait', () => {
  const room = new WaitRoom(2);
  room.enter([1], 10_000);
  const second = room.enter([1], 10_000);
  expect(() => room.enter([1], 10)).toThrow(BusyError);
  second.wake('changed');
  expect(() => room.enter([1], 10)).not.toThrow();
  room.close();
});
