import { describe, expect, test } from '@jest/globals';
import type { SteerBody } from '@tidegate/client';
import { Helm, stepBefore } from '../helm.js';
import { Feed } from './feed.js';

const pause: SteerBody = { op: 'pause', args: {}, epoch: 0, decision: 7, trigger: 'error', step: 37, action: 0 };
const rollback: SteerBody = { ...pause, op: 'rollback', args: { steps: 1 }, action: 1 };

function helmOf(feed: Feed<SteerBody>): Helm {
  return new Helm(() => feed);
}

describe('Helm', () => {
  test('pauses, and tells what to roll back', async () => {
    const feed = new Feed<SteerBody>();
    const { paused, rollback: told } = helmOf(feed).orders(0);
    expect(paused.aborted).toBe(false);
    feed.tell(pause, rollback);
    expect(await told).toBe(rollback);
    expect(paused.aborted).toBe(true);
  });

  test('passes over what was said about an epoch that is over', async () => {
    const feed = new Feed<SteerBody>();
    const helm = helmOf(feed);
    helm.orders(0);
    const { paused, rollback: told } = helm.orders(1);
    const next = { ...rollback, epoch: 1, step: 40 };
    feed.tell(pause, rollback, next);
    expect(await told).toBe(next);
    expect(paused.aborted).toBe(false);
  });

  test('rejects where following fails, before or after the epoch begins', async () => {
    const feed = new Feed<SteerBody>();
    const helm = helmOf(feed);
    const before = helm.orders(0);
    feed.fail(new Error('gone'));
    await expect(before.rollback).rejects.toThrow('gone');
    await expect(helm.orders(1).rollback).rejects.toThrow('gone');
  });

  test('ends the following when it is closed', () => {
    let following: AbortSignal | undefined;
    const helm = new Helm((signal) => {
      following = signal;
      return new Feed<SteerBody>();
    });
    expect(following?.aborted).toBe(false);
    helm.close();
    expect(following?.aborted).toBe(true);
  });
});

test('stepBefore goes back as far as it is told, by one step otherwise', () => {
  expect(stepBefore({ step: 37, args: {} })).toBe(36);
  expect(stepBefore({ step: 37, args: { steps: 37 } })).toBe(0);
  for (const steps of [0, 38, 1.5, '1', null])
    expect(() => stepBefore({ step: 37, args: { steps } })).toThrow(RangeError);
});
