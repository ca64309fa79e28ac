import { describe, expect, test } from '@jest/globals';
import { parseBox } from '@tidegate/geometry';
import { BadRequestError } from '@tidegate/protocol';
import { assertRange, assertReadable } from '../readable.js';
import { sampleRecord } from './partition-samples.js';

describe('readable', () => {
  const array = sampleRecord({ box: '4:8,0:4' });
  const opaque = sampleRecord({ box: '4:8,0:4', dtype: 'bytes', bytes: 10 });

  test('boxes inside an array, the very box of an opaque object', () => {
    for (const box of ['4:8,0:4', '5:6,1:2']) assertReadable(array, parseBox(box));
    for (const box of ['3:8,0:4', '4:8', '4:8,0:5']) {
      expect(() => assertReadable(array, parseBox(box))).toThrow(/expected a box inside 4:8,0:4, got/);
    }
    assertReadable(opaque, opaque.box);
    expect(() => assertReadable(opaque, parseBox('4:7,0:4'))).toThrow(BadRequestError);
  });

  test('ranges inside the payload', () => {
    for (const [offset, length] of [
      [0, 10],
      [10, 0],
      [3, 4],
    ] as const)
      assertRange(opaque, offset, length);
    for (const [offset, length] of [
      [0, 11],
      [-1, 2],
      [5, -1],
      [11, 0],
      [Number.NaN, 1],
    ] as const) {
      expect(() => assertRange(opaque, offset, length)).toThrow(/expected a range inside a payload of 10 bytes/);
    }
  });
});
