import { expect, test } from '@jest/globals';
import { ByteFormatError, ByteReader, ByteWriter } from '../byte-stream.js';
import { readSurface, type Surface, writeSurface } from '../surface.js';

const surface: Surface = {
  components: 5,
  labels: 2,
  rows: Float64Array.of(0, 0, 3),
  starts: Float64Array.of(1, 4, 0),
  ends: Float64Array.of(3, 6, 6),
  runLabels: Uint32Array.of(0, 1, 0),
};

function bytesOf(one: Surface): Uint8Array {
  const writer = new ByteWriter();
  writeSurface(writer, one);
  return writer.finish();
}

test('a surface survives the wire in a few bytes a run', () => {
  const bytes = bytesOf(surface);
  expect(bytes.length).toBe(3 + 3 * 4);
  expect(readSurface(new ByteReader(bytes), { rowCount: 4, width: 6 })).toEqual(surface);
});

test.each([
  ['too few rows', surface, { rowCount: 3, width: 6 }],
  ['rows that are too short', surface, { rowCount: 4, width: 5 }],
  ['more labels than components', { ...surface, components: 1 }, { rowCount: 4, width: 6 }],
  ['a label that is none', { ...surface, runLabels: Uint32Array.of(0, 2, 0) }, { rowCount: 4, width: 6 }],
])('%s are refused', (_, one, shape) => {
  expect(() => readSurface(new ByteReader(bytesOf(one)), shape)).toThrow(ByteFormatError);
});
