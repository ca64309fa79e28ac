import { describe, expect, test } from '@jest/globals';
import { colourAt, colourRange, fractionOf, INFERNO } from '../colour-map.js';

describe('colourAt', () => {
  test('meets the anchors and lies between them', () => {
    INFERNO.forEach((colour, i) => {
      expect(colourAt(i / (INFERNO.length - 1))).toEqual(colour);
    });
    expect(
      colourAt(0.25, [
        [0, 100, 200],
        [100, 0, 200],
      ]),
    ).toEqual([25, 75, 200]);
  });

  test('inferno grows brighter all the way', () => {
    const brightness = Array.from({ length: 101 }, (_, i) => {
      const [r, g, b] = colourAt(i / 100);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    });
    brightness.slice(1).forEach((value, i) => {
      expect(value).toBeGreaterThan(brightness[i] ?? 0);
    });
  });

  test('NaN is grey', () => {
    expect(colourAt(Number.NaN)).toEqual([128, 128, 128]);
  });
});

test('fractionOf clamps', () => {
  const range = { min: -1, max: 3 };
  expect([-9, -1, 0, 3, 9].map((value) => fractionOf(value, range))).toEqual([0, 0, 0.25, 1, 1]);
  expect(fractionOf(Number.POSITIVE_INFINITY, range)).toBe(1);
  expect(fractionOf(Number.NaN, range)).toBeNaN();
  expect(fractionOf(5, { min: 5, max: 5 })).toBe(0);
});

test('colourRange looks at finite values only and takes what is given', () => {
  const field = Float64Array.of(Number.NaN, 2, Number.NEGATIVE_INFINITY, -4, Number.POSITIVE_INFINITY);
  expect(colourRange(field)).toEqual({ min: -4, max: 2 });
  expect(colourRange(field, { min: 0 })).toEqual({ min: 0, max: 2 });
  expect(colourRange(field, { max: 0 })).toEqual({ min: -4, max: 0 });
});
