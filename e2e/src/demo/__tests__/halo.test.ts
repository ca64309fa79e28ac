import { describe, expect, test } from '@jest/globals';
import { type Box, contains, volume, within } from '@tidegate/geometry';
import fc from 'fast-check';
import { corePlace, haloBoxes, paddedBox, sourceBoxes } from '../halo.js';

interface Situation {
  readonly shape: readonly number[];
  readonly box: Box;
  readonly width: number;
}

const dimension = fc
  .record({ length: fc.integer({ min: 1, max: 6 }), a: fc.nat(), b: fc.nat() })
  .map(({ length, a, b }) => ({ length, lower: a % length, upper: (a % length) + 1 + (b % (length - (a % length))) }));

const situations: fc.Arbitrary<Situation> = fc
  .record({ ranges: fc.array(dimension, { minLength: 1, maxLength: 3 }), width: fc.integer({ min: 1, max: 7 }) })
  .map(({ ranges, width }) => ({
    shape: ranges.map((r) => r.length),
    box: { lower: ranges.map((r) => r.lower), upper: ranges.map((r) => r.upper) },
    width,
  }));

/** Calls `visit` with every index of a box and its offset from the box's lower corner. */
function eachCell(box: Box, visit: (cell: readonly number[], offset: readonly number[]) => void): void {
  const offset = box.lower.map(() => 0);
  for (let n = volume(box); n > 0; n--) {
    visit(
      box.lower.map((lower, d) => lower + (offset[d] ?? 0)),
      offset.slice(),
    );
    for (let d = offset.length - 1; d >= 0; d--) {
      offset[d] = (offset[d] ?? 0) + 1;
      if ((offset[d] ?? 0) < (box.upper[d] ?? 0) - (box.lower[d] ?? 0)) break;
      offset[d] = 0;
    }
  }
}

describe('haloBoxes', () => {
  test('fill every cell of the frame once, from the cell that is there when the domain wraps', () => {
    fc.assert(
      fc.property(situations, ({ shape, box, width }) => {
        const filled = new Map<string, string>();
        for (const halo of haloBoxes(box, shape, width)) {
          expect(within(halo.box, shape)).toBe(true);
          expect(volume(halo.box)).toBe(volume(halo.place));
          eachCell(halo.place, (cell, offset) => {
            expect(filled.has(String(cell))).toBe(false);
            filled.set(String(cell), String(offset.map((o, d) => o + (halo.box.lower[d] ?? 0))));
          });
        }
        const expected = new Map<string, string>();
        const core = corePlace(box, width);
        eachCell(paddedBox(box, width), (cell) => {
          const inCore = cell.every((i, d) => i >= (core.lower[d] ?? 0) && i < (core.upper[d] ?? 0));
          if (inCore) return;
          const global = cell.map((i, d) => {
            const length = shape[d] ?? 1;
            return (i - width + (box.lower[d] ?? 0) + 20 * length) % length;
          });
          expected.set(String(cell), String(global));
        });
        expect(new Map([...filled].sort())).toEqual(new Map([...expected].sort()));
      }),
    );
  });

  test('few boxes away from the edges of the domain: one for each face', () => {
    expect(haloBoxes({ lower: [4, 4], upper: [8, 8] }, [16, 16], 2)).toHaveLength(4);
    expect(haloBoxes({ lower: [4, 4, 4], upper: [8, 8, 8] }, [16, 16, 16], 2)).toHaveLength(6);
  });

  test.each([0, -1, 0.5])('refuses a width of %p', (width) => {
    expect(() => haloBoxes({ lower: [0], upper: [2] }, [4], width)).toThrow(RangeError);
  });
});

test('paddedBox and corePlace', () => {
  const box = { lower: [3, 5], upper: [5, 9] };
  expect(paddedBox(box, 2)).toEqual({ lower: [0, 0], upper: [6, 8] });
  expect(corePlace(box, 2)).toEqual({ lower: [2, 2], upper: [4, 6] });
});

describe('sourceBoxes', () => {
  test('every halo is part of one of them or of the own box, and none of them is needless', () => {
    fc.assert(
      fc.property(situations, ({ shape, box, width }) => {
        const halos = haloBoxes(box, shape, width);
        const sources = sourceBoxes(halos, box);
        for (const halo of halos) {
          expect([box, ...sources].some((source) => contains(source, halo.box))).toBe(true);
        }
        sources.forEach((source, at) => {
          expect(halos.some((halo) => halo.box === source)).toBe(true);
          expect([box, ...sources.toSpliced(at, 1)].some((other) => contains(other, source))).toBe(false);
        });
      }),
    );
  });

  test('a box that spans one dimension of a volume needs six instead of twenty', () => {
    const box = { lower: [0, 0, 0], upper: [24, 24, 48] };
    const halos = haloBoxes(box, [48, 48, 48], 8);
    expect(halos).toHaveLength(20);
    expect(sourceBoxes(halos, box)).toHaveLength(6);
  });
});
