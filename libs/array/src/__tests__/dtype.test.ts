import { describe, expect, test } from '@jest/globals';
import { DTYPES, isDType, isOpaque, itemSize } from '../dtype.js';

describe('dtype', () => {
  test('sizes of all types', () => {
    expect(Object.fromEntries(DTYPES.map((dtype) => [dtype, itemSize(dtype)]))).toEqual({
      bool: 1,
      int8: 1,
      int16: 2,
      int32: 4,
      int64: 8,
      uint8: 1,
      uint16: 2,
      uint32: 4,
      uint64: 8,
      float32: 4,
      float64: 8,
      complex64: 8,
      complex128: 16,
      bytes: 1,
    });
  });

  test('tells names of types from anything else', () => {
    expect(DTYPES.every(isDType)).toBe(true);
    for (const x of ['float', 'Float64', '', 'toString', '__proto__', 8, null, undefined, ['int8']]) {
      expect(isDType(x)).toBe(false);
    }
  });

  test('only bytes is opaque', () => {
    expect(DTYPES.filter(isOpaque)).toEqual(['bytes']);
  });
});
