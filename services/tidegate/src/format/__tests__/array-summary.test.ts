import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isComplex, summarize } from '../array-summary.js';

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

describe('summarize', () => {
  test('leaves NaN out of the range and counts it', () => {
    const cells = Float64Array.of(3, Number.NaN, -1, 7);
    expect(summarize(bytesOf(cells), 'float64')).toEqual({ cells: 4, min: -1, max: 7, mean: 3, nan: 1 });
  });

  test('has no range where there are no numbers', () => {
    expect(summarize(bytesOf(Float32Array.of(Number.NaN)), 'float32')).toEqual({
      cells: 1,
      min: null,
      max: null,
      mean: null,
      nan: 1,
    });
  });

  test('takes 64-bit integers and bool', () => {
    expect(summarize(bytesOf(BigInt64Array.of(-5n, 15n)), 'int64')).toEqual({
      cells: 2,
      min: -5,
      max: 15,
      mean: 5,
      nan: 0,
    });
    expect(summarize(Uint8Array.of(0, 1, 1, 0), 'bool')).toMatchObject({ min: 0, max: 1, mean: 0.5 });
  });

  test('keeps the mean where a plain sum loses it', () => {
    const cells = Float64Array.of(1, 1e100, 1, -1e100);
    expect(summarize(bytesOf(cells), 'float64').mean).toBe(0.5);
  });

  test('an infinite cell gives an infinite mean', () => {
    const cells = Float64Array.of(1, Number.POSITIVE_INFINITY, 2);
    expect(summarize(bytesOf(cells), 'float64')).toMatchObject({
      max: Number.POSITIVE_INFINITY,
      mean: Number.POSITIVE_INFINITY,
    });
  });

  test('counts cells of complex numbers, and the NaN among them', () => {
    const cells = Float32Array.of(1, Number.NaN, 2, 3, Number.NaN, Number.NaN);
    expect(isComplex('complex64')).toBe(true);
    expect(summarize(bytesOf(cells), 'complex64')).toEqual({ cells: 3, min: null, max: null, mean: null, nan: 2 });
  });

  test('agrees with plain reductions', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 50 }), (values) => {
        const { min, max, mean } = summarize(bytesOf(Int32Array.from(values)), 'int32');
        expect(min).toBe(Math.min(...values));
        expect(max).toBe(Math.max(...values));
        expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 10);
      }),
    );
  });
});
