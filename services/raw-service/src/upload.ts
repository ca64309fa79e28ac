import { createHash } from 'node:crypto';
import {
  type Bus,
  type Incoming,
  type Logger,
  newIncarnation,
  type Outgoing,
  type Subscribed,
  subscribe,
} from '@tidegate/bus';
import { parseBox } from '@tidegate/geometry';
import {
  BadRequestError,
  BusyError,
  checkAnnotation,
  HEADERS,
  NotFoundError,
  type PutDescriptor,
  type PutOpenRequest,
  type PutReply,
  type RawId,
  SizeMismatchError,
  TooLargeError,
  type UploadTicket,
  uploadSubject,
} from '@tidegate/protocol';
import { checkDigest, type PutFlow, type StagedPut } from './put-flow.js';
import { ReceivedRanges } from './received-ranges.js';

/** Most uploads open at a time: each holds room. */
const MAX_UPLOADS = 1024;
const CHUNK_BYTES = 1 << 20;
const HEADER_ROOM = 4096;
const WINDOW = 8;
/** An upload may take so long, and a millisecond more for every so many bytes. */
const BASE_MS = 30_000;
const BYTES_PER_MS = 4096;
/** A committed upload answers a repeated commit for so long. */
const REMEMBER_MS = 60_000;
/** Bytes read at a time to check a digest. */
const HASH_BYTES = 4 << 20;
const INTEGER = /^(0|[1-9][0-9]{0,15})$/;

interface Upload {
  readonly staged: StagedPut;
  readonly received: ReceivedRanges;
  timer: NodeJS.Timeout;
  commit?: Promise<PutReply>;
}

export interface UploadsOptions {
  readonly bus: Bus;
  readonly raw: RawId;
  readonly puts: PutFlow;
  readonly logger: Logger;
  readonly wallClock: () => number;
}

/** Puts that come in chunks. Their room is reserved at once, and given back when they are not committed in time. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #uploads = new Map<string, Upload>();
  readonly #subscribed: Subscribed;
  #opening = 0;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#subscribed = subscribe(options.bus, uploadSubject(options.raw, '*'), (request) => this.#receive(request));
  }

  /** Reserves the room of a put and says where its chunks go. */
  async open(request: PutOpenRequest): Promise<UploadTicket> {
    if (this.#uploads.size + this.#opening >= MAX_UPLOADS) throw new BusyError(`${MAX_UPLOADS} uploads are open`, 1000);
    this.#opening++;
    try {
      const staged = await this.#options.puts.open(descriptorOf(request), request.bytes);
      const uploadId = newIncarnation();
      const lifeMs = BASE_MS + request.bytes / BYTES_PER_MS;
      const timer = setTimeout(() => this.#expire(uploadId), lifeMs);
      this.#uploads.set(uploadId, { staged, received: new ReceivedRanges(), timer });
      return {
        uploadId,
        subject: uploadSubject(this.#options.raw, uploadId),
        chunkBytes: this.#chunkBytes(),
        window: WINDOW,
        expiresAt: new Date(this.#options.wallClock() + lifeMs).toISOString(),
      };
    } finally {
      this.#opening--;
    }
  }

  async stop(): Promise<void> {
    await this.#subscribed.stop();
    for (const [id, upload] of this.#uploads) {
      clearTimeout(upload.timer);
      if (!upload.commit) upload.staged.reservation.abort();
      this.#uploads.delete(id);
    }
  }

  #chunkBytes(): number {
    return Math.max(1024, Math.min(CHUNK_BYTES, this.#options.bus.maxPayload - HEADER_ROOM));
  }

  async #receive(request: Incoming): Promise<Outgoing> {
    const id = request.subject.slice(request.subject.lastIndexOf('.') + 1);
    const upload = this.#uploads.get(id);
    if (!upload) throw new NotFoundError(`upload ${id} is not open: it expired, or was never opened here`);
    const commit = request.header(HEADERS.commit);
    if (commit !== '') {
      if (commit !== 'true')
        throw new BadRequestError(HEADERS.commit, `expected "true", got ${JSON.stringify(commit.slice(0, 80))}`);
      if (request.data.length > 0)
        throw new BadRequestError(HEADERS.commit, `expected an empty payload, got ${request.data.length} bytes`);
      upload.commit ??= this.#commit(id, upload);
      return { data: new TextEncoder().encode(JSON.stringify(await upload.commit)) };
    }
    if (upload.commit) throw new BadRequestError(HEADERS.offset, 'expected no chunk after the commit');
    this.#chunk(upload, request);
    return { data: new Uint8Array() };
  }

  #chunk({ staged, received }: Upload, request: Incoming): void {
    const text = request.header(HEADERS.offset);
    const offset = INTEGER.test(text) ? Number(text) : Number.NaN;
    const { data } = request;
    if (!Number.isSafeInteger(offset))
      throw new BadRequestError(
        HEADERS.offset,
        `expected ${HEADERS.offset} in decimal digits, got ${JSON.stringify(text.slice(0, 80))}`,
      );
    if (data.length === 0)
      throw new BadRequestError('payload', `expected a chunk, or ${HEADERS.commit}: true, got an empty message`);
    if (data.length > this.#chunkBytes())
      throw new TooLargeError(
        `expected chunks of at most ${this.#chunkBytes()} bytes, got ${data.length}`,
        this.#chunkBytes(),
      );
    if (offset + data.length > staged.bytes) {
      throw new BadRequestError(
        HEADERS.offset,
        `expected a chunk inside 0 … ${staged.bytes}, got ${offset} … ${offset + data.length}`,
      );
    }
    staged.reservation.write(offset, data);
    received.add(offset, offset + data.length);
  }

  /** Commits once; an incomplete upload stays open, so that the rest can still be sent. */
  async #commit(id: string, upload: Upload): Promise<PutReply> {
    const { staged, received } = upload;
    const gap = received.firstGap(staged.bytes);
    if (gap) {
      delete upload.commit;
      throw new SizeMismatchError(
        staged.bytes,
        received.bytes,
        `expected all ${staged.bytes} bytes before the commit, got ${received.bytes}: ${gap.lower} … ${gap.upper} is missing`,
      );
    }
    clearTimeout(upload.timer);
    try {
      if (staged.descriptor.digest !== undefined) checkDigest(staged.descriptor.digest, hashOf(staged));
    } catch (error) {
      staged.reservation.abort();
      this.#uploads.delete(id);
      throw error;
    }
    try {
      return await this.#options.puts.finish(staged);
    } finally {
      upload.timer = setTimeout(() => this.#uploads.delete(id), REMEMBER_MS);
      upload.timer.unref();
    }
  }

  #expire(id: string): void {
    const upload = this.#uploads.get(id);
    if (!upload || upload.commit) return;
    this.#uploads.delete(id);
    upload.staged.reservation.abort();
    this.#options.logger.warn(
      { uploadId: id, bytes: upload.staged.bytes, received: upload.received.bytes },
      'an upload was not committed in time: its room is free again',
    );
  }
}

function hashOf({ reservation, bytes }: StagedPut): string {
  const hash = createHash('sha256');
  const scratch = new Uint8Array(Math.min(bytes, HASH_BYTES));
  for (let offset = 0; offset < bytes; offset += scratch.length) {
    const part = scratch.subarray(0, Math.min(scratch.length, bytes - offset));
    reservation.read(offset, part);
    hash.update(part);
  }
  return hash.digest('hex');
}

function descriptorOf(request: PutOpenRequest): PutDescriptor {
  const { variable, run, step, wait, box, id, annotation, derivedFrom, activity, digest } = request;
  const text = typeof annotation === 'object' ? JSON.stringify(annotation) : annotation;
  return {
    variable,
    run,
    step,
    wait,
    ...(box !== undefined && { box: parseBox(box) }),
    ...(id !== undefined && { id }),
    ...(text !== undefined && { annotation: checkAnnotation(text, 'annotation') }),
    ...(derivedFrom !== undefined && { derivedFrom: derivedFrom as NonNullable<PutDescriptor['derivedFrom']> }),
    ...(activity !== undefined && { activity }),
    ...(digest !== undefined && { digest }),
  };
}
