import { expect, test } from '@jest/globals';
import { extractBox } from '@tidegate/array';
import { type Box, shapeOf, volume } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { BoxReader } from '../box-reader.js';

/** Reads all of a box in blocks of `blockBytes`; answers the cells and how many reads it took. */
function readAll(source: Uint8Array, outer: Box, box: Box, itemSize: number, blockBytes: number) {
  let reads = 0;
  const from = (offset: number, target: Uint8Array): void => {
    reads++;
    if (offset < 0 || offset + target.length > source.length) throw new RangeError('a read outside of the array');
    target.set(source.subarray(offset, offset + target.length));
  };
  const reader = new BoxReader({ source: from, outer, box, itemSize });
  const block = new Uint8Array(blockBytes);
  const parts: Buffer[] = [];
  for (let bytes = reader.fill(block); bytes > 0; bytes = reader.fill(block))
    parts.push(Buffer.from(block.subarray(0, bytes)));
  return { bytes: new Uint8Array(Buffer.concat(parts)), reads };
}

test('any box of any array is read packed, in blocks of any size', () => {
  const random = seededRandom(11);
  for (let trial = 0; trial < 300; trial++) {
    const rank = random.int(1, 6);
    const outerLower = Array.from({ length: rank }, () => random.int(0, 4));
    const outer = { lower: outerLower, upper: outerLower.map((lo) => lo + random.int(1, 9)) };
    const lower = outer.lower.map((lo, d) => random.int(lo, outer.upper[d] as number));
    const upper = lower.map((lo, d) => random.int(lo + 1, (outer.upper[d] as number) + 1));
    const itemSize = random.pick([1, 2, 4, 8, 16]);
    const source = Uint8Array.from({ length: volume(outer) * itemSize }, () => random.int(0, 256));
    const expected = extractBox(source, outer, { lower, upper }, itemSize);
    const { bytes } = readAll(source, outer, { lower, upper }, itemSize, itemSize * random.int(1, 40));
    expect(Buffer.compare(bytes, expected)).toBe(0);
  }
});

test.each([
  ['a contiguous box', [64, 64, 64], { lower: [3, 0, 0], upper: [9, 64, 64] }, 1],
  ['short runs side by side share reads', [64, 64, 64], { lower: [0, 0, 0], upper: [64, 64, 8] }, 8],
  ['single cells far apart are read one by one', [64, 4096], { lower: [0, 7], upper: [64, 8] }, 64],
  ['long runs go where they are wanted', [8, 8192], { lower: [0, 0], upper: [8, 4096] }, 8],
])('%s', (_, shape, box, reads) => {
  const outer = { lower: shape.map(() => 0), upper: shape };
  const source = new Uint8Array(volume(outer) * 8);
  const result = readAll(source, outer, box, 8, volume(box) * 8);
  expect(result.bytes.length).toBe(shapeOf(box).reduce((a, n) => a * n, 8));
  expect(result.reads).toBeLessThanOrEqual(reads);
});
