import { expect, test } from '@jest/globals';
import { itemSize, typedView } from '@tidegate/array';
import { boxOfShape } from '@tidegate/geometry';
import type { TransformDefinition } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { transformedShape } from '../transform.js';
import { runTransform } from '../transform-task.js';
import { cellsOf, cut, type Field, fieldOf, randomTiling, tools } from './fields.js';

/** The transformed field, put together from the pieces of a random tiling. */
function transformed(transform: TransformDefinition, field: Field, seed: number): (number | bigint)[] {
  const random = seededRandom(seed);
  const { dtype, shape } = transformedShape(transform, field.dtype, field.box.upper);
  const cells = new Array<number | bigint>(shape.reduce((a, n) => a * n, 1)).fill(-999);
  for (const [at, piece] of randomTiling(random, field.box, 15).entries()) {
    const data = at % 2 === 0 ? { box: piece, bytes: cut(field, piece) } : { box: field.box, bytes: field.bytes };
    const result = runTransform({ transform, dtype: field.dtype, piece, data }, tools);
    if (result === undefined) continue;
    expect(result.dtype).toBe(dtype);
    const { lower, upper } = result.box;
    const view = typedView(result.bytes, dtype) as ArrayLike<number | bigint>;
    for (let i = 0; i < result.bytes.length / itemSize(dtype); i++) {
      let rest = i;
      let target = 0;
      let stride = 1;
      for (let d = shape.length - 1; d >= 0; d--) {
        const extent = (upper[d] as number) - (lower[d] as number);
        target += ((lower[d] as number) + (rest % extent)) * stride;
        rest = Math.floor(rest / extent);
        stride *= shape[d] as number;
      }
      cells[target] = view[i] as number | bigint;
    }
  }
  return cells;
}

const box = boxOfShape([7, 9, 11]);
const at = (z: number, y: number, x: number) => (z * 9 + y) * 11 + x;

test.each(['uint8', 'int64', 'float32'] as const)('downsampled and sliced %s', (dtype) => {
  const bytes = Uint8Array.from({ length: 693 * itemSize(dtype) }, (_, i) => (i * 37) % 127);
  const field: Field = { dtype, box, bytes };
  const cells = cellsOf(field);
  for (const n of [2, 3, 10]) {
    const expected: (number | bigint)[] = [];
    for (let z = 0; z < 7; z += n) {
      for (let y = 0; y < 9; y += n) for (let x = 0; x < 11; x += n) expected.push(cells[at(z, y, x)] as number);
    }
    expect(transformed({ downsample: n }, field, n)).toEqual(expected);
  }
  const middle: (number | bigint)[] = [];
  for (let z = 0; z < 7; z++) for (let x = 0; x < 11; x++) middle.push(cells[at(z, 4, x)] as number);
  expect(transformed({ slice: { axis: 1, index: 4 } }, field, 5)).toEqual(middle);
});

test('complex cells stay together', () => {
  const cells = Float64Array.from({ length: 693 * 2 }, (_, i) => i);
  const data = { box, bytes: new Uint8Array(cells.buffer) };
  const whole = runTransform({ transform: { downsample: 4 }, dtype: 'complex128', piece: box, data }, tools);
  const view = typedView(whole?.bytes ?? new Uint8Array(), 'complex128');
  expect(Array.from(view.subarray(0, 8))).toEqual([0, 1, 8, 9, 16, 17, 88, 89]);
});

test('a threshold is 1 inside its bounds; NaN and bounds that no cell can meet give 0', () => {
  const random = seededRandom(9);
  const field = fieldOf('float32', box, () => (random.int(0, 9) === 0 ? Number.NaN : random.next()));
  const cells = cellsOf(field) as number[];
  const inside = cells.map((x) => (x > 0.25 && x < 0.75 ? 1 : 0));
  expect(transformed({ threshold: { above: 0.25, below: 0.75 } }, field, 1)).toEqual(inside);
  const small = fieldOf('uint8', box, (i) => i % 256);
  expect(transformed({ threshold: { above: 3, below: 4 } }, small, 2)).toEqual(new Array(693).fill(0));
});

test('a transform that is not built in is refused', () => {
  const transform = { wasm: { digest: `sha256:${'e'.repeat(64)}`, export: 'run' } };
  expect(() =>
    runTransform({ transform, dtype: 'uint8', piece: box, data: { box, bytes: new Uint8Array(693) } }, tools),
  ).toThrow(/expected a transform that is built in/);
});
