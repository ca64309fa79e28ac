import { type DType, itemSize } from '@tidegate/array';
import { type Box, shapeOf, volume } from '@tidegate/geometry';
import type { SeededRandom } from '@tidegate/testing';

/** Row-major positions, in a domain of this shape, of the cells of a box, in the box's own row-major order. */
export function* cellsOf(shape: readonly number[], box: Box): Generator<number, void, undefined> {
  const sizes = shapeOf(box);
  const cells = volume(box);
  for (let cell = 0; cell < cells; cell++) {
    let rest = cell;
    let position = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = sizes[axis] ?? 1;
      position += ((box.lower[axis] ?? 0) + (rest % size)) * stride;
      rest = Math.floor(rest / size);
      stride *= shape[axis] ?? 1;
    }
    yield position;
  }
}

/** Bytes of a whole domain, reproducible from the seed: any bits, but for bool 0 and 1. */
export function domainBytes(dtype: DType, shape: readonly number[], random: SeededRandom): Uint8Array {
  const cells = shape.reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(cells * itemSize(dtype));
  for (let at = 0; at < bytes.length; at++) bytes[at] = dtype === 'bool' ? random.int(0, 2) : random.int(0, 256);
  return bytes;
}

/** The bytes of a box of a domain, cell by cell: slow, and independent of what the services do. */
export function cutOut(domain: Uint8Array, shape: readonly number[], box: Box, cellBytes: number): Uint8Array {
  const part = new Uint8Array(volume(box) * cellBytes);
  let target = 0;
  for (const cell of cellsOf(shape, box)) {
    part.set(domain.subarray(cell * cellBytes, (cell + 1) * cellBytes), target);
    target += cellBytes;
  }
  return part;
}

/** Bytes that a partition of this seed holds: quick to make and to compare, different for each seed. */
export function patternBytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2654435761 + 12345) >>> 0;
  // Taken out of the loop: a look-up of a global costs much where tests run in contexts of their own.
  const { imul } = Math;
  for (let at = 0; at < words.length; at++) {
    state = (imul(state, 1664525) + 1013904223) >>> 0;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Compares bytes quickly, with a message that tells the first difference instead of printing megabytes. */
export function differenceOf(actual: Uint8Array, expected: Uint8Array): string | undefined {
  if (actual.length !== expected.length) return `expected ${expected.length} bytes, got ${actual.length}`;
  if (Buffer.compare(actual, expected) === 0) return undefined;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  return `byte ${at} of ${expected.length}: expected ${expected[at]}, got ${actual[at]}`;
}
