import { monotonicNow } from '@tidegate/bus';
import { contains, formatBox, splitBox } from '@tidegate/geometry';
import type { PieceData, PreviousData } from '@tidegate/kernels';
import { BadRequestError, isTidegateError, type PartitionRecord } from '@tidegate/protocol';
import type { TaskContext } from './task-context.js';
import type { PiecePlace } from './task-requests.js';

/** A piece whose bytes stay readable until its release. */
export interface HeldPiece {
  readonly record: PartitionRecord;
  readonly data: PieceData;
  release(): void;
}

const READ_MS = 5000;

/**
 * Takes hold of a partition that lies here: the whole of it where a worker can read it from its file, else the bytes of
 * the piece.
 *
 * @returns undefined if it is not here (any more)
 * @throws BadRequestError if the piece is not a part of it, or it belongs to another variable
 */
export async function holdPiece(
  { store, puts }: Pick<TaskContext, 'store' | 'puts'>,
  { id, box }: Pick<PiecePlace, 'id' | 'box'>,
  variable: string,
): Promise<HeldPiece | undefined> {
  // A plan may name a partition whose put is about to be acknowledged: its bytes are there when it is.
  if (!store.has(id)) await puts.settled(id);
  const hold = store.hold(id);
  if (hold === undefined) return undefined;
  const { record, file, release } = hold;
  try {
    if (record.variable !== variable)
      throw new BadRequestError(
        'id',
        `expected a partition of variable "${variable}", got one of "${record.variable}"`,
      );
    if (!contains(record.box, box)) {
      const expected = `expected a piece inside ${formatBox(record.box)} of partition ${id}`;
      throw new BadRequestError('box', `${expected}, got ${formatBox(box)}`);
    }
    if (file !== undefined) return { record, data: { box: record.box, file }, release };
    return { record, data: { box, bytes: await store.read(id, box) }, release };
  } catch (error) {
    release();
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Holds of pieces that are compared with. */
export interface HeldPieces {
  readonly data: readonly PreviousData[];
  release(): void;
}

/**
 * The same for pieces of several partitions, of which others may hold some: these are read in chunks.
 *
 * @returns undefined if one is not to be had (any more)
 * @throws as `holdPiece`, and what the bus throws
 */
export async function holdPieces(
  context: Pick<TaskContext, 'raw' | 'store' | 'puts' | 'remote' | 'chunkBytes'>,
  places: readonly PiecePlace[],
  options: { readonly variable: string; readonly itemSize: number; readonly signal: AbortSignal },
): Promise<HeldPieces | undefined> {
  const held: HeldPiece[] = [];
  const release = () => {
    for (const piece of held) piece.release();
  };
  const data: PreviousData[] = [];
  try {
    for (const place of places) {
      if (place.raw === context.raw) {
        const piece = await holdPiece(context, place, options.variable);
        if (piece === undefined) break;
        held.push(piece);
        data.push({ ...piece.data, piece: place.box });
      } else {
        data.push(...(await readRemote(context, place, options)));
      }
    }
  } catch (error) {
    release();
    if (isGone(error)) return undefined;
    throw error;
  }
  if (held.length === places.filter(({ raw }) => raw === context.raw).length) return { data, release };
  release();
  return undefined;
}

async function readRemote(
  { remote, chunkBytes }: Pick<TaskContext, 'remote' | 'chunkBytes'>,
  { raw, id, box }: PiecePlace,
  { itemSize, signal }: { readonly itemSize: number; readonly signal: AbortSignal },
): Promise<PreviousData[]> {
  const data: PreviousData[] = [];
  for (const part of splitBox(box, Math.max(1, Math.floor(chunkBytes / itemSize)))) {
    const options = { deadline: monotonicNow() + READ_MS, timeoutMs: READ_MS, signal };
    const bytes = await remote.readBox(raw, id, part, options);
    // A reply is a view into what the connection received.
    data.push({ box: part, bytes: bytes.slice() });
  }
  return data;
}

function isGone(error: unknown): boolean {
  return isTidegateError(error) && error.code === 'NOT_FOUND';
}
