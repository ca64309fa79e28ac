import { expect, test } from '@jest/globals';
import { makeBox } from '@tidegate/geometry';
import { PlanCache } from '../plan-cache.js';
import { regionOf } from '../region.js';
import { StepIndex } from '../step-index.js';
import { entryOf, heldOf, mapOf } from './painted.js';

const map = mapOf([10], 1);
const region = (to: number) => regionOf(map, makeBox([0], [to]), [0]);

test('a plan is made once for each state of a step', () => {
  const cache = new PlanCache(4);
  const step = new StepIndex(0);
  let made = 0;
  const get = (at: StepIndex, to = 10, epoch = 0) =>
    cache.get(at, region(to), epoch, () => ({ final: true, reply: new Uint8Array([++made]) })).reply[0];
  expect([get(step), get(step), get(step)]).toEqual([1, 1, 1]);
  expect(cache.peek(step, region(10), 0)?.reply).toEqual(new Uint8Array([1]));
  expect(cache.peek(step, region(10), 1)).toBeUndefined();
  expect(get(step, 10, 1)).toBe(2);
  step.index(heldOf(map, entryOf(1, makeBox([0], [5]))), { replace: false, isLive: () => true });
  expect(cache.peek(step, region(10), 1)).toBeUndefined();
  expect(get(step, 10, 1)).toBe(3);
  expect(get(new StepIndex(0))).toBe(4);
});

test('the plans used longest ago go first', () => {
  const cache = new PlanCache(2);
  const step = new StepIndex(0);
  let made = 0;
  const get = (to: number) =>
    cache.get(step, region(to), 0, () => ({ final: false, reply: new Uint8Array([++made]) })).reply[0];
  expect([get(1), get(2), get(1), get(3), get(1), get(2)]).toEqual([1, 2, 1, 3, 1, 4]);
});
