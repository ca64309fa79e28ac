import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { flipExponentBit } from '../bit-flip.js';

function bitsOf(cells: Float64Array): BigUint64Array {
  return new BigUint64Array(cells.slice().buffer);
}

describe('flipExponentBit', () => {
  test('makes the largest cell that may be hit several times as large', () => {
    const cells = Float64Array.of(0.2, 0.3, 0.75, 0.1);
    expect(flipExponentBit(cells)).toEqual({ index: 1, bit: 53, before: 0.3, after: 1.2 });
    expect([...cells]).toEqual([0.2, 1.2, 0.75, 0.1]);
  });

  test('changes one bit of the exponent of one cell, and never to what is no number', () => {
    const cell = fc.double({ min: 0, max: 0.6, noNaN: true });
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 20 }), (values) => {
        const cells = Float64Array.from(values);
        const before = bitsOf(cells);
        const flip = flipExponentBit(cells);
        const after = bitsOf(cells);
        const changed = [...before.keys()].filter((at) => before[at] !== after[at]);
        if (!values.some((value) => value >= 0.1 && value < 0.5)) {
          expect([flip, changed]).toEqual([undefined, []]);
          return;
        }
        const { index = -1, bit = 0 } = flip ?? {};
        expect(changed).toEqual([index]);
        expect((before[index] ?? 0n) ^ (after[index] ?? 0n)).toBe(1n << BigInt(bit));
        expect(bit).toBeGreaterThanOrEqual(52);
        expect(cells[index]).toBeGreaterThanOrEqual(3 * (values[index] ?? Number.NaN));
        expect(cells[index]).toBeLessThan(2);
      }),
    );
  });
});
