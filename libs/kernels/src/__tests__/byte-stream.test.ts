import { expect, test } from '@jest/globals';
import { ByteFormatError, ByteReader, ByteWriter } from '../byte-stream.js';

test('what is written is read', () => {
  const writer = new ByteWriter();
  const integers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER];
  const floats = [0, -0, 1.5, -Infinity, Number.NaN, Number.MIN_VALUE];
  const wide = [0n, -1n, 255n, -(2n ** 63n), 2n ** 190n, -(2n ** 64n) + 1n];
  for (const value of integers) writer.varint(value);
  for (const value of floats) writer.float64(value);
  for (const value of wide) writer.bigint(value);
  writer.text('häuser');
  writer.bytes(new Uint8Array(5000));
  const bytes = writer.finish();
  const reader = new ByteReader(bytes);
  expect(integers.map(() => reader.varint())).toEqual(integers);
  expect(floats.map(() => reader.float64())).toEqual(floats);
  expect(wide.map(() => reader.bigint())).toEqual(wide);
  expect(reader.text(100)).toBe('häuser');
  expect(() => reader.end()).toThrow('5000 bytes too many');
});

test.each([
  ['an integer that is cut off', [0x80], (reader: ByteReader) => reader.varint()],
  ['an integer of 2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], (reader: ByteReader) => reader.varint()],
  ['an integer that does not end', new Array(12).fill(0xff), (reader: ByteReader) => reader.varint()],
  ['a count above its limit', [9], (reader: ByteReader) => reader.count(8, 'cells')],
  ['a count where none is possible', [0], (reader: ByteReader) => reader.count(-1, 'cells')],
  ['a number that is cut off', [1, 2, 3], (reader: ByteReader) => reader.float64()],
  ['a text that is cut off', [4, 65], (reader: ByteReader) => reader.text(10)],
  ['a text that is too long', [11], (reader: ByteReader) => reader.text(10)],
  ['an integer in no digits', [2, 120, 121], (reader: ByteReader) => reader.bigint()],
])('%s is refused', (_, bytes, read) => {
  expect(() => read(new ByteReader(Uint8Array.from(bytes)))).toThrow(ByteFormatError);
});
