import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { below, seededRandom } from '../bench/seeded-random.js';
import {
  type Box,
  boxOfShape,
  contains,
  equals,
  formatBox,
  intersect,
  intersects,
  makeBox,
  parseBox,
  shapeOf,
  subtract,
  volume,
  within,
} from '../box.js';
import { BoxSyntaxError, InvalidBoxError, InvalidShapeError } from '../geometry-error.js';
import { eachCell, randomBox } from './random-boxes.js';

const SHAPES = [[20], [8, 7], [5, 4, 6], [3, 4, 3, 4]];

function cellsOf(box: Box | undefined, shape: readonly number[]): Set<number> {
  const cells = new Set<number>();
  if (box !== undefined) eachCell(box, shape, (cell) => cells.add(cell));
  return cells;
}

describe('text form', () => {
  test('reads and writes the canonical form', () => {
    expect(parseBox('0:64,128:256')).toEqual({ lower: [0, 128], upper: [64, 256] });
    expect(parseBox('9007199254740990:9007199254740991').upper).toEqual([Number.MAX_SAFE_INTEGER]);
    expect(formatBox(parseBox('1:2,3:4,5:6,7:8,9:10,11:12'))).toBe('1:2,3:4,5:6,7:8,9:10,11:12');
  });

  test('reads back what it wrote', () => {
    const range = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).filter(([a, b]) => a !== b);
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 6 }), (ranges) => {
        const box = makeBox(
          ranges.map(([a, b]) => Math.min(a, b)),
          ranges.map(([a, b]) => Math.max(a, b)),
        );
        expect(parseBox(formatBox(box))).toEqual(box);
      }),
    );
  });

  test.each([
    '',
    '0',
    '0:',
    ':1',
    '0:1,',
    ',0:1',
    '0:1;0:1',
    ' 0:1',
    '0:1 ',
    '0:1\n',
    '0: 1',
    '+0:1',
    '0:+1',
    '-1:1',
    '00:1',
    '0:01',
    '1:1',
    '2:1',
    '0:1.5',
    '0:1e3',
    '0x0:0x1',
    '0:NaN',
    '0:Infinity',
    '0:9007199254740992',
    '0:99999999999999999999',
    '٠:١',
    '0:1,0:1,0:1,0:1,0:1,0:1,0:1',
    `0:${'1'.repeat(100_000)}`,
  ])('rejects %j', (text) => {
    expect(() => parseBox(text)).toThrow(BoxSyntaxError);
  });

  test('says what it expected and what it got, and shows no more than the start of a long text', () => {
    expect(() => parseBox('5:3')).toThrow(
      'box: expected "lo:hi" for 1 to 6 dimensions, joined by commas, decimal, 0 <= lo < hi < 2^53, got "5:3"',
    );
    try {
      parseBox('x'.repeat(1e6));
      throw new Error('not reached');
    } catch (error) {
      expect(error).toMatchObject({ name: 'BoxSyntaxError', actual: `"${'x'.repeat(80)}…"` });
    }
  });
});

describe('construction', () => {
  test('copies the corners', () => {
    const lower = [0, 0];
    const box = makeBox(lower, [1, 2]);
    lower[0] = 7;
    expect(box).toEqual({ lower: [0, 0], upper: [1, 2] });
  });

  test.each([
    [[], []],
    [[0], [1, 1]],
    [[0, 0], [1]],
    [[0], [0]],
    [[2], [1]],
    [[-1], [1]],
    [[0.5], [1]],
    [[0], [Number.NaN]],
    [[0], [2 ** 53]],
    [
      [0, 0, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 1, 1, 1],
    ],
  ])('rejects lower %j, upper %j', (lower, upper) => {
    expect(() => makeBox(lower, upper)).toThrow(InvalidBoxError);
  });

  test('the domain of a shape', () => {
    expect(boxOfShape([4, 5])).toEqual({ lower: [0, 0], upper: [4, 5] });
    expect(volume(boxOfShape([2 ** 53 - 1]))).toBe(Number.MAX_SAFE_INTEGER);
    expect(shapeOf(parseBox('3:5,7:8'))).toEqual([2, 1]);
  });

  test.each([[[]], [[0]], [[3, 0]], [[-1]], [[1.5]], [[2 ** 53]], [[2 ** 27, 2 ** 26]], [[1, 1, 1, 1, 1, 1, 1]]])(
    'rejects the shape %j',
    (shape) => {
      expect(() => boxOfShape(shape)).toThrow(InvalidShapeError);
    },
  );
});

describe('relations', () => {
  test('agree with sets of cells', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 4000; round++) {
      const shape = SHAPES[below(random, SHAPES.length)] as number[];
      const a = randomBox(random, shape);
      const b = randomBox(random, shape);
      const inA = cellsOf(a, shape);
      const inB = cellsOf(b, shape);
      expect(volume(a)).toBe(inA.size);
      const common = [...inA].filter((cell) => inB.has(cell));
      expect(contains(a, b)).toBe(common.length === inB.size);
      expect(intersects(a, b)).toBe(common.length > 0);
      expect(cellsOf(intersect(a, b), shape)).toEqual(new Set(common));
      expect(equals(a, b)).toBe(formatBox(a) === formatBox(b));
      const rest = subtract(a, b);
      const inRest = new Set<number>();
      for (const part of rest) for (const cell of cellsOf(part, shape)) inRest.add(cell);
      expect(inRest).toEqual(new Set([...inA].filter((cell) => !inB.has(cell))));
      expect(rest.reduce((sum, part) => sum + volume(part), 0)).toBe(inRest.size);
      expect(rest.length).toBeLessThanOrEqual(2 * shape.length);
    }
  });

  test('touching faces do not intersect', () => {
    expect(intersects(parseBox('0:4'), parseBox('4:8'))).toBe(false);
    expect(intersect(parseBox('0:4,0:4'), parseBox('0:4,4:8'))).toBeUndefined();
    expect(subtract(parseBox('0:4'), parseBox('4:8'))).toEqual([parseBox('0:4')]);
  });

  test('boxes of different rank have nothing in common', () => {
    const line = parseBox('0:4');
    const square = parseBox('0:4,0:4');
    expect(intersects(line, square)).toBe(false);
    expect(intersect(square, line)).toBeUndefined();
    expect(contains(line, square)).toBe(false);
    expect(contains(square, line)).toBe(false);
    expect(equals(line, square)).toBe(false);
    expect(within(line, [4, 4])).toBe(false);
  });

  test('within the domain up to and including its last cell', () => {
    expect(within(parseBox('0:4,0:5'), [4, 5])).toBe(true);
    expect(within(parseBox('0:4,0:6'), [4, 5])).toBe(false);
    expect(within(parseBox('4:5,0:1'), [4, 5])).toBe(false);
  });
});
