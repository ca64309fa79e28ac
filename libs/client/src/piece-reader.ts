import { copyBox } from '@tidegate/array';
import type { Bus } from '@tidegate/bus';
import { type Box, equals, formatBox, splitBox } from '@tidegate/geometry';
import { type PartitionId, type RawId, type ReadRequest, rawSubject } from '@tidegate/protocol';
import type { PlannedPiece } from './plan.js';

/** Answers of 256 KiB to 1 MiB move best through NATS. */
const CHUNK_BYTES = 1 << 19;
/** Largest answer of a get in one message: a second round trip costs more than the larger message. */
const WHOLE_BYTES = 1 << 20;
/** Most bytes asked for and not yet here, so that a big read floods neither server nor client. */
const IN_FLIGHT_BYTES = 8 << 20;
/** Left in a message for its headers. */
const HEADER_ROOM = 4096;

/** Where the bytes of a piece come from: the bus for a client, the store itself for a piece that lies in this process. */
export interface PieceSource {
  readBox(raw: RawId, id: PartitionId, box: Box, options: ReadOptions): Promise<Uint8Array>;
  readBytes(raw: RawId, id: PartitionId, offset: number, length: number, options: ReadOptions): Promise<Uint8Array>;
}

export interface ReadOptions {
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes have come so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Largest answer that a read may ask for on this connection, in bytes. */
export function chunkBytes(bus: Bus): number {
  return Math.max(1024, Math.min(CHUNK_BYTES, bus.maxPayload - HEADER_ROOM));
}

/** Largest region that is worth a message of its own. */
export function wholeBytes(bus: Bus): number {
  return Math.min(WHOLE_BYTES, bus.maxPayload - HEADER_ROOM);
}

/** Reads pieces at their raw-services over the bus. */
export function busPieceSource(bus: Bus): PieceSource {
  const toUtf8 = new TextEncoder();
  const read = async (raw: RawId, request: ReadRequest, { timeoutMs, signal }: ReadOptions) => {
    const reply = await bus.request(rawSubject(raw, 'read'), toUtf8.encode(JSON.stringify(request)), {
      timeoutMs,
      ...(signal && { signal }),
    });
    return reply.data;
  };
  return {
    readBox: (raw, id, box, options) => read(raw, { id, box: formatBox(box) }, options),
    readBytes: (raw, id, offset, length, options) => read(raw, { id, offset, length }, options),
  };
}

/** A packed row-major array over `box`. */
export interface Target {
  readonly bytes: Uint8Array;
  readonly box: Box;
  readonly itemSize: number;
}

/**
 * Reads disjoint pieces into `target`, in parallel and in answers of at most `chunk` bytes, each copied once to its
 * place. Cells of the target that no piece holds are left alone.
 */
export async function readPieces(
  source: PieceSource,
  pieces: readonly PlannedPiece[],
  target: Target,
  chunk: number,
  options: ReadOptions,
): Promise<void> {
  const { itemSize } = target;
  let read = 0;
  await inFlight(
    chunks(pieces, Math.max(1, Math.floor(chunk / itemSize))),
    IN_FLIGHT_BYTES / chunk,
    async ({ piece, box }) => {
      const bytes = await source.readBox(piece.raw, piece.id, box, options);
      if (equals(box, target.box)) target.bytes.set(bytes);
      else copyBox({ source: bytes, sourceBox: box, target: target.bytes, targetBox: target.box, box, itemSize });
      read += bytes.length;
      options.onProgress?.(read);
    },
  );
}

function* chunks(
  pieces: readonly PlannedPiece[],
  cells: number,
): Generator<{ readonly piece: PlannedPiece; readonly box: Box }> {
  for (const piece of pieces) for (const box of splitBox(piece.box, cells)) yield { piece, box };
}

/** Reads an opaque partition whole. */
export async function readObject(
  source: PieceSource,
  piece: PlannedPiece,
  chunk: number,
  options: ReadOptions,
): Promise<Uint8Array> {
  const target = new Uint8Array(piece.bytes);
  await inFlight(ranges(piece.bytes, chunk), IN_FLIGHT_BYTES / chunk, async ({ offset, length }) => {
    target.set(await source.readBytes(piece.raw, piece.id, offset, length, options), offset);
  });
  return target;
}

function* ranges(total: number, length: number): Generator<{ readonly offset: number; readonly length: number }> {
  for (let offset = 0; offset < total; offset += length) yield { offset, length: Math.min(length, total - offset) };
}

/** Runs `work` over `jobs`, at most `limit` at a time; the first failure stops the taking of further jobs. */
async function inFlight<T>(jobs: Generator<T>, limit: number, work: (job: T) => Promise<void>): Promise<void> {
  const lane = async () => {
    for (const job of jobs) await work(job);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.floor(limit)) }, lane));
}
