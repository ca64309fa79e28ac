import { describe, expect, test } from '@jest/globals';
import type { Box } from '@tidegate/geometry';
import fc from 'fast-check';
import { ArrayShapeError } from '../array-error.js';
import { packedBytes } from '../runs.js';
import { copyBox, extractBox } from '../strided-copy.js';
import { cellIndex, cellsOf, type NestedBoxes, nestedBoxes } from './nested-boxes.js';

const itemSizes = fc.constantFrom(1, 2, 3, 4, 8, 16);

/** Recognisable bytes at a chosen distance from the start of their buffer, so that alignments differ. */
function patterned(bytes: number, shift: number, seed: number): Uint8Array {
  const view = new Uint8Array(new ArrayBuffer(bytes + shift + 3), shift, bytes);
  for (let i = 0; i < bytes; i++) view[i] = (i * 131 + (i >>> 8) * 17 + seed) & 0xff;
  return view;
}

function copiedByCell(options: NestedBoxes & { source: Uint8Array; target: Uint8Array; itemSize: number }): Uint8Array {
  const { source, sourceBox, targetBox, box, itemSize } = options;
  const result = options.target.slice();
  for (const cell of cellsOf(box)) {
    const from = cellIndex(cell, sourceBox) * itemSize;
    const to = cellIndex(cell, targetBox) * itemSize;
    for (let byte = 0; byte < itemSize; byte++) result[to + byte] = source[from + byte] ?? 0;
  }
  return result;
}

/** Copies both ways and compares every byte of the target, those outside the box included. */
function check(boxes: NestedBoxes, itemSize: number, shifts: readonly [number, number]): void {
  const source = patterned(packedBytes(boxes.sourceBox, itemSize), shifts[0], 1);
  const target = patterned(packedBytes(boxes.targetBox, itemSize), shifts[1], 90);
  const around = new Uint8Array(target.buffer).slice();
  const expected = copiedByCell({ ...boxes, source, target, itemSize });
  copyBox({ ...boxes, source, target, itemSize });
  expect(Buffer.compare(target, expected)).toBe(0);
  around.set(expected, shifts[1]);
  expect(Buffer.compare(new Uint8Array(target.buffer), around)).toBe(0);

  const packed = new Uint8Array(packedBytes(boxes.box, itemSize));
  const extracted = extractBox(source, boxes.sourceBox, boxes.box, itemSize);
  expect(
    Buffer.compare(extracted, copiedByCell({ ...boxes, targetBox: boxes.box, source, target: packed, itemSize })),
  ).toBe(0);
  expect(extracted.buffer).not.toBe(source.buffer);
}

describe('copyBox and extractBox', () => {
  test('agree with a copy cell by cell, at any alignment', () => {
    const shift = fc.integer({ min: 0, max: 8 });
    fc.assert(fc.property(nestedBoxes, itemSizes, fc.tuple(shift, shift), check), { numRuns: 1000 });
  });

  test.each([1, 2, 4, 8, 16])('runs around every threshold, item size %i', (itemSize) => {
    for (const extent of [1, 2, 3, 15, 16, 31, 32, 33, 64, 100, 257]) {
      const boxes: NestedBoxes = {
        box: { lower: [1, 2], upper: [4, 2 + extent] },
        sourceBox: { lower: [0, 0], upper: [5, 5 + extent] },
        targetBox: { lower: [1, 1], upper: [4, 4 + extent] },
      };
      check(boxes, itemSize, [0, 0]);
      check(boxes, itemSize, [1, 0]);
      check(boxes, itemSize, [4, 4]);
    }
  });

  test('six dimensions', () => {
    const box: Box = { lower: [1, 1, 1, 1, 1, 1], upper: [3, 2, 3, 4, 3, 3] };
    check(
      {
        box,
        sourceBox: { lower: [0, 1, 0, 1, 0, 1], upper: [3, 2, 4, 4, 3, 3] },
        targetBox: { lower: [1, 0, 1, 1, 1, 1], upper: [3, 2, 3, 4, 4, 3] },
      },
      8,
      [0, 0],
    );
  });

  test('keeps the bits of signalling NaNs', () => {
    const source = new Uint8Array(new BigUint64Array(16).fill(0x7ff0_0000_dead_beefn).buffer);
    const sourceBox = { lower: [0, 0], upper: [4, 4] };
    const column = extractBox(source, sourceBox, { lower: [0, 1], upper: [4, 2] }, 8);
    expect([...new BigUint64Array(column.buffer)]).toEqual(new Array(4).fill(0x7ff0_0000_dead_beefn));
  });

  test('an empty box copies nothing', () => {
    const box = { lower: [0, 0], upper: [2, 2] };
    const empty = { lower: [1, 1], upper: [2, 1] };
    const target = patterned(8, 0, 5);
    copyBox({ source: patterned(8, 0, 1), sourceBox: box, target, targetBox: box, box: empty, itemSize: 2 });
    expect(target).toEqual(patterned(8, 0, 5));
    expect(extractBox(target, box, empty, 2)).toEqual(new Uint8Array(0));
  });

  test('copies from and to shared memory', () => {
    const box = { lower: [0, 0], upper: [3, 4] };
    const source = new Uint8Array(new SharedArrayBuffer(12)).map((_, i) => i);
    expect([...extractBox(source, box, { lower: [0, 1], upper: [3, 2] }, 1)]).toEqual([1, 5, 9]);
  });

  test('refuses arrays that have not the size of their boxes', () => {
    const box = { lower: [0, 0], upper: [2, 2] };
    const right = new Uint8Array(32);
    const options = { sourceBox: box, targetBox: box, box, itemSize: 8 };
    expect(() => copyBox({ ...options, source: new Uint8Array(31), target: right })).toThrow(
      new ArrayShapeError('expected a source of 32 bytes, got 31'),
    );
    expect(() => copyBox({ ...options, source: right, target: new Uint8Array(33) })).toThrow(
      new ArrayShapeError('expected a target of 32 bytes, got 33'),
    );
    expect(() => extractBox(right, box, box, 4)).toThrow(ArrayShapeError);
    expect(() => extractBox(right, box, { lower: [0, 1], upper: [2, 3] }, 8)).toThrow(ArrayShapeError);
  });
});
