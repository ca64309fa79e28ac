import type { PieceData } from '../piece-data.js';

/**
 * A piece's bytes, ready to be handed over to a worker: copied once and added to `transfer`. A structured clone would
 * copy all of the buffer that they are a view of.
 */
export function packData<T extends PieceData>(data: T, transfer: ArrayBuffer[]): T {
  if ('file' in data) return data;
  const bytes = new Uint8Array(data.bytes);
  transfer.push(bytes.buffer);
  return { ...data, bytes };
}
