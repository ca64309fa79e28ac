import { describe, expect, test } from '@jest/globals';
import { PNG } from 'pngjs';
import { colourAt } from '../colour-map.js';
import { fieldToPng, pixelsToPng } from '../picture.js';

/** Rows of pixels as red, green, blue, alpha. */
function pixelsOf(png: Uint8Array): { height: number; width: number; at: (y: number, x: number) => number[] } {
  const { height, width, data } = PNG.sync.read(Buffer.from(png));
  return { height, width, at: (y, x) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)] };
}

describe('fieldToPng', () => {
  test('every cell is a block of its colour', () => {
    const field = Float64Array.of(0, 1, 2, 3, 4, 5);
    const { height, width, at } = pixelsOf(fieldToPng(field, 2, 3, { scale: 4 }));
    expect([height, width]).toEqual([8, 12]);
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 12; x++) {
        const value = field[Math.floor(y / 4) * 3 + Math.floor(x / 4)] ?? 0;
        expect(at(y, x)).toEqual([...colourAt(value / 5), 255]);
      }
    }
  });

  test('values outside the range take its ends, what is no number is grey', () => {
    const { at } = pixelsOf(fieldToPng(Float64Array.of(-7, 0.5, 7, Number.NaN), 1, 4, { min: 0, max: 1 }));
    expect([0, 1, 2, 3].map((x) => at(0, x).slice(0, 3))).toEqual([
      [...colourAt(0)],
      [...colourAt(0.5)],
      [...colourAt(1)],
      [128, 128, 128],
    ]);
  });

  test('a flat field has one colour', () => {
    const { at } = pixelsOf(fieldToPng(new Float64Array(4).fill(3), 2, 2));
    expect(at(1, 1)).toEqual([...colourAt(0), 255]);
  });

  test('takes other colours', () => {
    const grey = [
      [0, 0, 0],
      [200, 200, 200],
    ] as const;
    const { at } = pixelsOf(fieldToPng(Float64Array.of(0, 1, 2), 3, 1, { colours: grey }));
    expect(at(1, 0)).toEqual([100, 100, 100, 255]);
  });

  test('refuses a field of another size and broken scales', () => {
    expect(() => fieldToPng(new Float64Array(5), 2, 3)).toThrow('expected a field of 2 x 3 cells, got 5');
    expect(() => fieldToPng(new Float64Array(0), 0, 3)).toThrow(RangeError);
    expect(() => fieldToPng(new Float64Array(6), 2, 3, { scale: 0 })).toThrow(RangeError);
    expect(() => fieldToPng(new Float64Array(6), 2, 3, { scale: 1.5 })).toThrow(RangeError);
  });
});

test('pixelsToPng asks for the colour of every cell by its place', () => {
  const { height, width, at } = pixelsOf(pixelsToPng(2, 3, 2, (cell) => [cell, 10 * cell, 255 - cell]));
  expect([height, width]).toEqual([4, 6]);
  for (let y = 0; y < 4; y++) {
    for (let x = 0; x < 6; x++) {
      const cell = (y >> 1) * 3 + (x >> 1);
      expect(at(y, x)).toEqual([cell, 10 * cell, 255 - cell, 255]);
    }
  }
});
