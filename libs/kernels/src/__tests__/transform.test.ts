import { expect, test } from '@jest/globals';
import { boxOfShape, tile, volume } from '@tidegate/geometry';
import type { TransformDefinition } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { transformedBox, transformedShape } from '../transform.js';
import { randomTiling } from './fields.js';

const wasm = { digest: `sha256:${'d'.repeat(64)}`, export: 'run' };

test('what becomes of a domain', () => {
  const shape = [9, 8, 1];
  expect(transformedShape({ downsample: 4 }, 'int16', shape)).toEqual({ dtype: 'int16', shape: [3, 2, 1] });
  expect(transformedShape({ slice: { axis: 1, index: 3 } }, 'float32', shape)).toEqual({
    dtype: 'float32',
    shape: [9, 1],
  });
  expect(transformedShape({ threshold: { above: 1 } }, 'float32', shape)).toEqual({ dtype: 'bool', shape });
  expect(transformedShape({ wasm }, 'int8', shape)).toEqual({ dtype: 'float64', shape });
});

test.each<TransformDefinition>([
  { downsample: 3 },
  { slice: { axis: 1, index: 5 } },
  { threshold: { above: 0 } },
  { wasm },
])('the pieces of a domain become a tiling of the transformed one: %j', (transform) => {
  const random = seededRandom(17);
  for (let trial = 0; trial < 50; trial++) {
    const shape = [random.int(1, 12), random.int(6, 12), random.int(1, 12)];
    const pieces = randomTiling(random, boxOfShape(shape), 20);
    const whole = boxOfShape(transformedShape(transform, 'uint8', shape).shape);
    const boxes = pieces.flatMap((piece) => transformedBox(transform, piece) ?? []);
    expect(boxes.reduce((cells, box) => cells + volume(box), 0)).toBe(volume(whole));
    expect(
      tile(
        whole,
        boxes.map((box, id) => ({ box, id })),
      ).missing,
    ).toEqual([]);
  }
});
