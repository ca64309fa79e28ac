import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StepWindow } from '../step-window.js';

describe('StepWindow', () => {
  test('agrees with the newest distinct steps of everything seen', () => {
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(size, fc.array(fc.nat({ max: 30 }), { maxLength: 100 }), (size, steps) => {
        const window = new StepWindow(size);
        let model: number[] = [];
        for (const step of steps) {
          const next = [...new Set([...model, step])].sort((a, b) => a - b).slice(-size);
          expect(window.seen(step)).toBe(next.includes(step) && !model.includes(step));
          model = next;
          expect(window.floor()).toBe(model.length === size ? model[0] : undefined);
        }
      }),
    );
  });

  test('forgets what a rollback superseded', () => {
    const window = new StepWindow(3);
    for (const step of [1, 2, 3, 4, 5]) window.seen(step);
    expect(window.floor()).toBe(3);
    window.forgetAbove(3);
    expect(window.floor()).toBeUndefined();
    expect([window.seen(4), window.floor()]).toEqual([true, undefined]);
    expect([window.seen(5), window.floor()]).toEqual([true, 3]);
    window.forgetAbove(0);
    expect([window.seen(1), window.floor()]).toEqual([true, undefined]);
  });
});
