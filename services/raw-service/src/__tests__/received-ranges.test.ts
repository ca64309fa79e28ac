import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ReceivedRanges } from '../received-ranges.js';

describe('ReceivedRanges', () => {
  it('equals a bitmap, whatever the order and overlap of the chunks', () => {
    const range = fc.tuple(fc.nat(40), fc.nat(12)).map(([lower, length]) => [lower, lower + length] as const);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (chunks) => {
        const received = new ReceivedRanges();
        const bitmap = new Uint8Array(60);
        for (const [lower, upper] of chunks) {
          received.add(lower, upper);
          bitmap.fill(1, lower, upper);
          expect(received.bytes).toBe(bitmap.reduce((sum, bit) => sum + bit, 0));
        }
        const first = bitmap.indexOf(0);
        const gap = received.firstGap(60);
        expect(gap?.lower).toBe(first);
        const end = bitmap.indexOf(1, first);
        expect(gap?.upper).toBe(end < 0 ? 60 : end);
      }),
      { numRuns: 500 },
    );
  });

  it('has no gap when everything has come', () => {
    const received = new ReceivedRanges();
    received.add(5, 10);
    received.add(0, 5);
    expect(received.firstGap(10)).toBeUndefined();
    expect(new ReceivedRanges().firstGap(0)).toBeUndefined();
  });
});
