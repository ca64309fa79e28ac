import { describe, expect, test } from '@jest/globals';
import { extractBox } from '@tidegate/array';
import { boxOfShape } from '@tidegate/geometry';
import { decompose } from '../decompose.js';
import { initialField } from '../initial-field.js';

const bytesOf = (cells: Float64Array) => new Uint8Array(cells.buffer);

describe('initialField', () => {
  test.each([
    [[61, 83], 7],
    [[20, 33, 27], 5],
  ])('of %p is the same in %i parts', (shape, parts) => {
    const domain = boxOfShape(shape);
    const whole = initialField({ shape, seed: 3, box: domain });
    for (const box of decompose(shape, parts)) {
      const part = initialField({ shape, seed: 3, box });
      for (const species of ['u', 'v'] as const) {
        expect(Buffer.compare(bytesOf(part[species]), extractBox(bytesOf(whole[species]), domain, box, 8))).toBe(0);
      }
    }
  });

  test('differs by seed and repeats for the same one', () => {
    const options = { shape: [40, 40], box: boxOfShape([40, 40]) };
    expect(initialField({ ...options, seed: 1 })).toEqual(initialField({ ...options, seed: 1 }));
    expect(initialField({ ...options, seed: 1 })).not.toEqual(initialField({ ...options, seed: 2 }));
  });

  test('strews a few seeds into the trivial state', () => {
    for (const shape of [
      [96, 96],
      [48, 48, 48],
    ]) {
      const { u, v } = initialField({ shape, seed: 9, box: boxOfShape(shape) });
      const seeded = v.filter((value) => value > 0.2).length / v.length;
      expect(seeded).toBeGreaterThan(0.02);
      expect(seeded).toBeLessThan(0.2);
      for (let i = 0; i < v.length; i++) {
        const [a, b] = [u[i] ?? 0, v[i] ?? 0];
        const inSeed = a >= 0.5 && a < 0.52 && b >= 0.25 && b < 0.27;
        const outside = a > 0.98 && a <= 1 && b >= 0 && b < 0.02;
        if (!inSeed && !outside) throw new Error(`cell ${i}: u ${a}, v ${b}`);
      }
    }
  });

  test('noise is spread evenly', () => {
    const shape = [64, 64];
    const { v } = initialField({ shape, seed: 4, box: boxOfShape(shape) });
    const noise = v.filter((value) => value < 0.02);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    expect(mean).toBeGreaterThan(0.0095);
    expect(mean).toBeLessThan(0.0105);
    expect(new Set(noise).size).toBe(noise.length);
  });

  test.each([[[8]], [[4, 4, 4, 4]]])('refuses %p: two or three dimensions only', (shape) => {
    expect(() => initialField({ shape, seed: 1, box: boxOfShape(shape) })).toThrow(RangeError);
  });
});
