import { type DType, itemSize } from '@tidegate/array';
import { type Box, contains, formatBox, volume } from '@tidegate/geometry';
import { BadRequestError, SizeMismatchError } from '@tidegate/protocol';

/** A range of bytes of a file. */
export interface FileSlice {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** The bytes of a whole partition, row-major over `box`: in a file, or here. */
export type PieceData = { readonly box: Box } & ({ readonly file: FileSlice } | { readonly bytes: Uint8Array });

/** Data of which only the cells in `piece` are meant; without it, all of `box`. */
export type PreviousData = PieceData & { readonly piece?: Box };

/** Reads `target.length` bytes from `offset` of a piece's bytes. */
export type ByteSource = (offset: number, target: Uint8Array) => void;

/** Most cells of a piece: positions and labels are 32-bit numbers. */
export const MAX_PIECE_CELLS = 2 ** 31 - 1;

/**
 * Refuses data that cannot hold the piece.
 * @throws BadRequestError, SizeMismatchError
 */
export function checkPieceData(data: PieceData, piece: Box, dtype: DType): void {
  if (!contains(data.box, piece)) {
    throw new BadRequestError('piece', `expected a piece inside ${formatBox(data.box)}, got ${formatBox(piece)}`);
  }
  if (volume(piece) > MAX_PIECE_CELLS) {
    throw new BadRequestError('piece', `expected a piece of at most ${MAX_PIECE_CELLS} cells, got ${volume(piece)}`);
  }
  const expected = volume(data.box) * itemSize(dtype);
  const actual = 'file' in data ? data.file.bytes : data.bytes.length;
  if (actual !== expected) throw new SizeMismatchError(expected, actual);
}
