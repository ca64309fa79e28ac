import { expect, test } from '@jest/globals';
import { BadRequestError, SizeMismatchError } from '@tidegate/protocol';
import { checkPieceData, MAX_PIECE_CELLS } from '../piece-data.js';

const box = { lower: [0, 0], upper: [4, 4] };

test('data must be that of its box, the piece inside it, and not too large', () => {
  const inside = { lower: [1, 1], upper: [4, 4] };
  expect(() => checkPieceData({ box, bytes: new Uint8Array(64) }, inside, 'float32')).not.toThrow();
  expect(() => checkPieceData({ box, file: { path: '/a', offset: 9, bytes: 64 } }, inside, 'float32')).not.toThrow();
  expect(() => checkPieceData({ box, bytes: new Uint8Array(63) }, inside, 'float32')).toThrow(SizeMismatchError);
  expect(() => checkPieceData({ box, bytes: new Uint8Array(64) }, { lower: [0, 0], upper: [4, 5] }, 'float32')).toThrow(
    BadRequestError,
  );
  const huge = { lower: [0], upper: [MAX_PIECE_CELLS + 1] };
  const file = { path: '/a', offset: 0, bytes: MAX_PIECE_CELLS + 1 };
  expect(() => checkPieceData({ box: huge, file }, huge, 'uint8')).toThrow(/at most 2147483647 cells/);
});
