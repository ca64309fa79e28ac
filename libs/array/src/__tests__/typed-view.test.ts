import { describe, expect, test } from '@jest/globals';
import { ArrayShapeError } from '../array-error.js';
import { DTYPES, itemSize } from '../dtype.js';
import { typedView } from '../typed-view.js';

describe('typedView', () => {
  test('each type has its array', () => {
    const names = DTYPES.map((dtype) => [dtype, typedView(new Uint8Array(32), dtype).constructor.name]);
    expect(Object.fromEntries(names)).toEqual({
      bool: 'Uint8Array',
      int8: 'Int8Array',
      int16: 'Int16Array',
      int32: 'Int32Array',
      int64: 'BigInt64Array',
      uint8: 'Uint8Array',
      uint16: 'Uint16Array',
      uint32: 'Uint32Array',
      uint64: 'BigUint64Array',
      float32: 'Float32Array',
      float64: 'Float64Array',
      complex64: 'Float32Array',
      complex128: 'Float64Array',
      bytes: 'Uint8Array',
    });
  });

  test('aligned bytes are viewed in place, within their part of the buffer', () => {
    const buffer = new ArrayBuffer(64);
    new Float64Array(buffer).set([0, 1, 2, 3, 4, 5, 6, 7]);
    const view = typedView(new Uint8Array(buffer, 16, 24), 'float64');
    expect([...view]).toEqual([2, 3, 4]);
    expect(view.buffer).toBe(buffer);
  });

  test('bytes out of line are copied', () => {
    const cells = new Uint8Array(Float64Array.of(1.5, -2).buffer);
    const message = new Uint8Array(32);
    message.set(cells, 3);
    const view = typedView(message.subarray(3, 19), 'complex128');
    expect([...view]).toEqual([1.5, -2]);
    expect(view.buffer).not.toBe(message.buffer);
  });

  test('an element needs the alignment of its parts only', () => {
    const bytes = new Uint8Array(new ArrayBuffer(32), 8, 16);
    expect(typedView(bytes, 'complex128').buffer).toBe(bytes.buffer);
  });

  test('values are exact at both ends of the 64-bit range', () => {
    const bytes = new Uint8Array(16).fill(0xff, 0, 8);
    bytes[15] = 0x80;
    expect([...typedView(bytes, 'int64')]).toEqual([-1n, -(2n ** 63n)]);
    expect([...typedView(bytes, 'uint64')]).toEqual([2n ** 64n - 1n, 2n ** 63n]);
  });

  test('refuses a part of a cell', () => {
    for (const dtype of DTYPES.filter((dtype) => itemSize(dtype) > 1)) {
      expect(() => typedView(new Uint8Array(itemSize(dtype) * 2 - 1), dtype)).toThrow(ArrayShapeError);
    }
    expect(() => typedView(new Uint8Array(24), 'complex128')).toThrow(
      'expected a multiple of 16 bytes for complex128, got 24',
    );
  });
});
