import { describe, expect, test } from '@jest/globals';
import type { EvictionPolicy } from '../eviction.js';
import { type HeldStep, StepWindows } from '../step-windows.js';

const POLICY: EvictionPolicy = { window: 3, onEvict: 'drop', durability: 'memory', createdAt: '1' };

function open(held: readonly HeldStep[] = []) {
  const state = { policy: POLICY as EvictionPolicy | undefined };
  const windows = new StepWindows(
    () => state.policy,
    () => held,
  );
  const see = (...steps: number[]) => steps.map((step) => windows.seen('T', 'r', step));
  return { windows, see, state };
}

describe('StepWindows', () => {
  test('follows each variable and run by itself', () => {
    const { windows, see } = open();
    expect(see(1, 2, 2, 3, 4)).toEqual([true, true, false, true, true]);
    expect(windows.floor('T', 'r')).toBe(2);
    expect(windows.floor('T', 'other')).toBeUndefined();
    expect(windows.floor('U', 'r')).toBeUndefined();
  });

  test('begins with the steps that are held', () => {
    const held = [5, 3, 4, 9].map((step) => ({ step, epoch: 0 }));
    expect(open(held).windows.floor('T', 'r')).toBe(4);
  });

  test('after a rollback the lower steps are the newest', () => {
    const { windows, see } = open();
    see(91, 92, 93);
    expect(windows.seen('T', 'r', 51, 1)).toBe(true);
    expect(windows.floor('T', 'r')).toBeUndefined();
    expect(windows.seen('T', 'r', 94, 0)).toBe(false);
    windows.seen('T', 'r', 52, 1);
    windows.seen('T', 'r', 53, 1);
    windows.seen('T', 'r', 54);
    expect(windows.floor('T', 'r')).toBe(52);
    const held = [
      { step: 51, epoch: 1 },
      { step: 93, epoch: 0 },
      { step: 50, epoch: 0 },
      { step: 49, epoch: 0 },
    ];
    expect(open(held).windows.floor('T', 'r')).toBe(49);
  });

  test('knows nothing without a declaration, and begins anew with another one', () => {
    const { windows, see, state } = open();
    see(7, 8, 9);
    state.policy = undefined;
    expect(windows.floor('T', 'r')).toBeUndefined();
    expect(see(10)).toEqual([false]);
    state.policy = { ...POLICY, window: 2, createdAt: '2' };
    expect(windows.floor('T', 'r')).toBeUndefined();
    expect(see(0, 1)).toEqual([true, true]);
    expect(windows.floor('T', 'r')).toBe(0);
  });
});
