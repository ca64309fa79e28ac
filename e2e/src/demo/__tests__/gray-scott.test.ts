import { describe, expect, test } from '@jest/globals';
import { copyBox } from '@tidegate/array';
import { type Box, boxOfShape, contains, intersect, volume } from '@tidegate/geometry';
import { decompose } from '../decompose.js';
import { advance, cutField, type HaloField, LABYRINTH, SPOTS, serialRun } from '../gray-scott.js';
import { haloBoxes } from '../halo.js';
import { type Field, initialField } from '../initial-field.js';

const bytesOf = (cells: Float64Array) => new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);

function expectSameBits(actual: Field, expected: Field): void {
  expect(Buffer.compare(bytesOf(actual.u), bytesOf(expected.u))).toBe(0);
  expect(Buffer.compare(bytesOf(actual.v), bytesOf(expected.v))).toBe(0);
}

/** One step straight from the equations, with neighbours found by remainders. */
function naiveStep(shape: readonly number[], { u, v }: Field, { feed, kill, du, dv, dt } = SPOTS): Field {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
  const next = { u: u.slice(), v: v.slice() };
  for (let cell = 0; cell < u.length; cell++) {
    const laplacian = (c: Float64Array): number => {
      let sum = -2 * shape.length * (c[cell] ?? 0);
      shape.forEach((length, d) => {
        const stride = strides[d] ?? 1;
        const at = Math.floor(cell / stride) % length;
        for (const side of [1, length - 1]) sum += c[cell + (((at + side) % length) - at) * stride] ?? 0;
      });
      return sum;
    };
    const [a, b] = [u[cell] ?? 0, v[cell] ?? 0];
    next.u[cell] = a + dt * (du * laplacian(u) - a * b ** 2 + feed * (1 - a));
    next.v[cell] = b + dt * (dv * laplacian(v) + a * b ** 2 - (feed + kill) * b);
  }
  return next;
}

/** Writers that know their own boxes only and get their halos cut out of each other's fields. */
function decomposedRun(options: {
  shape: readonly number[];
  boxes: readonly Box[];
  exchanges: number;
  substeps: number;
}): Field {
  const { shape, boxes, exchanges, substeps } = options;
  let fields = boxes.map((box) => initialField({ shape, seed: 5, box }));
  const gather = (target: Box): Field => {
    const whole = { u: new Float64Array(volume(target)), v: new Float64Array(volume(target)) };
    boxes.forEach((sourceBox, i) => {
      const box = intersect(sourceBox, target);
      const field = fields[i];
      if (box === undefined || field === undefined) return;
      for (const species of ['u', 'v'] as const) {
        const bytes = { source: bytesOf(field[species]), target: bytesOf(whole[species]) };
        copyBox({ ...bytes, sourceBox, targetBox: target, box, itemSize: 8 });
      }
    });
    return whole;
  };
  for (let n = 0; n < exchanges; n++) {
    const halos = boxes.map((box): HaloField[] =>
      haloBoxes(box, shape, substeps).map((halo) => ({ place: halo.place, ...gather(halo.box) })),
    );
    fields = boxes.map((box, i) =>
      advance({ box, ...(fields[i] as Field), halos: halos[i] ?? [], params: SPOTS, substeps }),
    );
  }
  return gather(boxOfShape(shape));
}

describe('serialRun', () => {
  test.each([[[12, 17]], [[1, 9]], [[2, 3]], [[7, 9, 8]], [[1, 2, 5]]])('of %p follows the equations', (shape) => {
    let expected = initialField({ shape, seed: 5, box: boxOfShape(shape) });
    for (let n = 0; n < 10; n++) expected = naiveStep(shape, expected);
    const actual = serialRun({ shape, seed: 5, steps: 10, params: SPOTS });
    for (const species of ['u', 'v'] as const) {
      for (let i = 0; i < actual[species].length; i++) {
        expect(Math.abs((actual[species][i] ?? 0) - (expected[species][i] ?? 0))).toBeLessThan(1e-12);
      }
    }
  });

  test('no step leaves the start', () => {
    const shape = [20, 20];
    const start = initialField({ shape, seed: 5, box: boxOfShape(shape) });
    expectSameBits(serialRun({ shape, seed: 5, steps: 0, params: SPOTS }), start);
  });

  test.each([
    ['spots', SPOTS],
    ['labyrinth', LABYRINTH],
  ])('%s fill the domain and stay bounded', (_, params) => {
    const { u, v } = serialRun({ shape: [96, 96], seed: 7, steps: 1500, params });
    expect(u.every((value) => value > 0 && value < 1)).toBe(true);
    expect(v.every((value) => value >= 0 && value < 0.6)).toBe(true);
    const bright = v.filter((value) => value > 0.2).length / v.length;
    expect(bright).toBeGreaterThan(0.1);
    expect(bright).toBeLessThan(0.6);
  });
});

test.each([
  ['spots', SPOTS],
  ['labyrinth', LABYRINTH],
])('%s are stable in three dimensions: no checkerboard grows', (_, params) => {
  const side = 24;
  const { u } = serialRun({ shape: [side, side, side], seed: 7, steps: 800, params });
  let checkerboard = 0;
  for (let i = 0; i < u.length; i++) {
    const parity = (i + Math.floor(i / side) + Math.floor(i / side ** 2)) & 1;
    checkerboard += (parity === 0 ? 1 : -1) * (u[i] ?? 0);
  }
  expect(Math.max(...u) - Math.min(...u)).toBeGreaterThan(0.2);
  expect(Math.abs(checkerboard) / u.length).toBeLessThan(1e-6);
});

describe('a decomposed run equals the serial one bit for bit', () => {
  test.each([
    { shape: [31, 45], parts: 1, substeps: 1 },
    { shape: [31, 45], parts: 5, substeps: 1 },
    { shape: [31, 45], parts: 7, substeps: 3 },
    { shape: [31, 45], parts: 11, substeps: 4 },
    { shape: [6, 5], parts: 3, substeps: 12 },
    { shape: [14, 11, 17], parts: 1, substeps: 2 },
    { shape: [14, 11, 17], parts: 6, substeps: 1 },
    { shape: [14, 11, 17], parts: 7, substeps: 3 },
    { shape: [3, 4, 5], parts: 4, substeps: 6 },
  ])('$shape in $parts parts, $substeps steps an exchange', ({ shape, parts, substeps }) => {
    const boxes = decompose(shape, parts);
    const actual = decomposedRun({ shape, boxes, exchanges: 4, substeps });
    expectSameBits(actual, serialRun({ shape, seed: 5, steps: 4 * substeps, params: SPOTS }));
  });

  test('also in boxes as uneven as a sliver beside a slab', () => {
    const boxes: Box[] = [
      { lower: [0, 0], upper: [1, 40] },
      { lower: [1, 0], upper: [30, 37] },
      { lower: [1, 37], upper: [2, 40] },
      { lower: [2, 37], upper: [30, 40] },
    ];
    const actual = decomposedRun({ shape: [30, 40], boxes, exchanges: 5, substeps: 2 });
    expectSameBits(actual, serialRun({ shape: [30, 40], seed: 5, steps: 10, params: SPOTS }));
  });
});

describe('advance', () => {
  test('leaves its input as it was', () => {
    const shape = [9, 9];
    const box = boxOfShape(shape);
    const field = initialField({ shape, seed: 2, box });
    const halos = haloBoxes(box, shape).map((halo) => ({ place: halo.place, ...cutField(field, box, halo.box) }));
    advance({ box, ...field, halos, params: SPOTS });
    expectSameBits(field, initialField({ shape, seed: 2, box }));
  });

  test('refuses an incomplete frame', () => {
    const shape = [9, 9];
    const box = boxOfShape(shape);
    const field = initialField({ shape, seed: 2, box });
    const halos = haloBoxes(box, shape).map((halo) => ({ place: halo.place, ...cutField(field, box, halo.box) }));
    expect(() => advance({ box, ...field, halos: halos.slice(1), params: SPOTS })).toThrow(
      'expected halos of 40 cells',
    );
    expect(() => advance({ box, ...field, halos, params: SPOTS, substeps: 2 })).toThrow(RangeError);
  });
});

test('cutField copies', () => {
  const shape = [6, 6];
  const domain = boxOfShape(shape);
  const box = { lower: [1, 2], upper: [3, 5] };
  expect(contains(domain, box)).toBe(true);
  const part = cutField(initialField({ shape, seed: 1, box: domain }), domain, box);
  expectSameBits(part, initialField({ shape, seed: 1, box }));
});
