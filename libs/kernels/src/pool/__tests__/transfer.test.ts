import { expect, test } from '@jest/globals';
import { packData } from '../transfer.js';

const box = { lower: [0], upper: [3] };

test('bytes are copied out of the buffer that they are a view of, and handed over', () => {
  const large = new Uint8Array(1000).fill(7);
  const transfer: ArrayBuffer[] = [];
  const packed = packData({ box, bytes: large.subarray(10, 13) }, transfer);
  if (!('bytes' in packed)) throw new Error('expected bytes');
  expect([packed.bytes.length, packed.bytes.buffer.byteLength, transfer]).toEqual([3, 3, [packed.bytes.buffer]]);
  structuredClone(packed, { transfer });
  expect([packed.bytes.length, large[10]]).toEqual([0, 7]);
});

test('files stay as they are', () => {
  const transfer: ArrayBuffer[] = [];
  const data = { box, file: { path: '/a', offset: 0, bytes: 3 } };
  expect(packData(data, transfer)).toBe(data);
  expect(transfer).toEqual([]);
});
