import { describe, expect, test } from '@jest/globals';
import { HOLD_BACK_MS, heldUntil } from '../hold-back.js';

describe('heldUntil', () => {
  const begun = [
    { step: 4, lastArrival: 50 },
    { step: 6, lastArrival: 10 },
    { step: 9, lastArrival: 90 },
  ];

  test('a step waits for the lower ones that have begun', () => {
    expect(heldUntil(5, begun)).toBe(50 + HOLD_BACK_MS);
    expect(heldUntil(8, begun)).toBe(50 + HOLD_BACK_MS);
    expect(heldUntil(10, begun)).toBe(90 + HOLD_BACK_MS);
  });

  test('the lowest waits for nobody', () => {
    expect(heldUntil(4, begun)).toBe(-Infinity);
    expect(heldUntil(3, [])).toBe(-Infinity);
  });
});
