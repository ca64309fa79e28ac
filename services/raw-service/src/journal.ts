import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';

// "TIDEJRNL" and the version of the format, then records: length of the body (u32), CRC-32 of the body (u32), body.
// A body is JSON: {"k":key,"v":value} sets a key, {"d":[key]} deletes keys.
const MAGIC = Buffer.from('TIDEJRN1', 'latin1');
const RECORD_HEADER_BYTES = 8;
const MAX_RECORD_BYTES = 64 << 20;
/** A journal shorter than this is not worth compacting. */
const MIN_COMPACT_BYTES = 256 * 1024;
const COPY_BYTES = 1 << 20;
/** Zeros kept behind the last record, so that deletions, which give room back, need none of a full file system. */
const SLACK_BYTES = 128 * 1024;
const ZEROS = new Uint8Array(2 * SLACK_BYTES);
const MAX_SCRATCH_BYTES = 1 << 20;

interface Place {
  readonly offset: number;
  readonly length: number;
}

/** What a journal held when it was opened. */
export interface JournalRecovery {
  /** The standing value of each key, in the order in which they were set. */
  readonly entries: ReadonlyMap<string, unknown>;
  /** Bytes that were cut from the end because they were no whole record. */
  readonly cutBytes: number;
}

/**
 * An append-only log of keys and values that stands for their newest state. It is not synced: like the segments that
 * it describes it lives in memory, survives the process and not the host. A set or deletion has happened once its one
 * write has returned. When dead records outweigh the live ones the live ones are copied to a new file, which replaces
 * the old one by a rename: amortised O(1), and the file stays within a constant and twice what is live.
 */
export class Journal {
  readonly path: string;
  readonly #live: Map<string, Place>;
  #file: number;
  #end: number;
  /** Length of the file: records and slack. */
  #allocated: number;
  #liveBytes = 0;
  #compactAt = MIN_COMPACT_BYTES;
  #scratch = Buffer.allocUnsafe(4096);

  private constructor(options: {
    path: string;
    file: number;
    live: Map<string, Place>;
    end: number;
    allocated: number;
  }) {
    const { path, file, live, end, allocated } = options;
    this.path = path;
    this.#file = file;
    this.#live = live;
    this.#end = end;
    this.#allocated = allocated;
    for (const { length } of live.values()) this.#liveBytes += length;
    this.#compactAt = this.#nextCompaction();
  }

  /**
   * Opens or makes a journal. A torn or corrupt tail is cut off, as an append that never happened.
   * @throws Error if the file is no journal of this version
   */
  static open(path: string): { journal: Journal; recovered: JournalRecovery } {
    rmSync(compactPath(path), { force: true });
    const opened = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const bytes = readAll(opened);
      const { entries, live, end } = parse(bytes, path);
      const cutBytes = bytes.findLastIndex((byte, at) => byte !== 0 || at < end) + 1 - end;
      if (cutBytes > 0) ftruncateSync(opened, end);
      if (end === 0) writeAll(opened, MAGIC, 0);
      const start = Math.max(end, MAGIC.length);
      const allocated = Math.max(start, cutBytes > 0 ? end : bytes.length);
      return {
        journal: new Journal({ path, file: opened, live, end: start, allocated }),
        recovered: { entries, cutBytes },
      };
    } catch (error) {
      closeSync(opened);
      throw error;
    }
  }

  /** Length of the records; the file is longer by some slack. */
  get bytes(): number {
    return this.#end;
  }

  /**
   * Sets a key. Nothing has happened if this throws.
   * @throws NodeJS.ErrnoException from the file system
   */
  set(key: string, value: unknown): void {
    const place = this.#append(JSON.stringify({ k: key, v: value }), SLACK_BYTES);
    this.#bury(key);
    this.#live.set(key, place);
    this.#liveBytes += place.length;
    this.#compactIfDue();
  }

  /** Deletes keys in one record; unknown ones are no error. Nothing has happened if this throws. */
  delete(keys: readonly string[]): void {
    const known = keys.filter((key) => this.#live.has(key));
    if (known.length === 0) return;
    this.#append(JSON.stringify({ d: known }), 0);
    for (const key of known) this.#bury(key);
    this.#compactIfDue();
  }

  close(): void {
    closeSync(this.#file);
  }

  #bury(key: string): void {
    this.#liveBytes -= this.#live.get(key)?.length ?? 0;
    this.#live.delete(key);
  }

  /** Writes at the known end, so that what a failed append left behind is overwritten by the next one. */
  #append(body: string, slackBytes: number): Place {
    const capacity = RECORD_HEADER_BYTES + body.length * 3;
    if (capacity > this.#scratch.length) {
      const exact = Buffer.allocUnsafe(capacity);
      if (capacity > MAX_SCRATCH_BYTES) return this.#appendFrom(exact, body, slackBytes);
      this.#scratch = exact;
    }
    return this.#appendFrom(this.#scratch, body, slackBytes);
  }

  #appendFrom(scratch: Buffer, body: string, slackBytes: number): Place {
    const bodyBytes = scratch.write(body, RECORD_HEADER_BYTES, 'utf8');
    if (bodyBytes > MAX_RECORD_BYTES) {
      throw new RangeError(`expected a journal record of at most ${MAX_RECORD_BYTES} bytes, got ${bodyBytes}`);
    }
    const length = RECORD_HEADER_BYTES + bodyBytes;
    scratch.writeUInt32LE(bodyBytes, 0);
    scratch.writeUInt32LE(crc32(scratch.subarray(RECORD_HEADER_BYTES, length)), 4);
    if (this.#end + length + slackBytes > this.#allocated) this.#extend(length);
    writeAll(this.#file, scratch.subarray(0, length), this.#end);
    const place = { offset: this.#end, length };
    this.#end += length;
    return place;
  }

  /** Allocates room for a record, and slack behind it for many a deletion. */
  #extend(length: number): void {
    const target = this.#end + length + 2 * SLACK_BYTES;
    while (this.#allocated < target) {
      const part = ZEROS.subarray(0, Math.min(ZEROS.length, target - this.#allocated));
      writeAll(this.#file, part, this.#allocated);
      this.#allocated += part.length;
    }
  }

  #nextCompaction(): number {
    return Math.max(MIN_COMPACT_BYTES, 2 * (MAGIC.length + this.#liveBytes));
  }

  #compactIfDue(): void {
    if (this.#end < this.#compactAt) return;
    this.#compactAt = this.#nextCompaction();
    if (this.#end < this.#compactAt) return;
    try {
      this.#compact();
    } catch {
      // No room for a second file now: the old one stays valid, and growth by as much again is the next occasion.
      rmSync(compactPath(this.path), { force: true });
      this.#compactAt = 2 * this.#end;
    }
  }

  #compact(): void {
    const path = compactPath(this.path);
    const file = openSync(path, 'w+', 0o600);
    const moved = new Map<string, Place>();
    let end = MAGIC.length;
    try {
      writeAll(file, MAGIC, 0);
      const block = Buffer.allocUnsafe(COPY_BYTES);
      let filled = 0;
      for (const [key, { offset, length }] of this.#live) {
        if (filled > 0 && filled + length > block.length) {
          writeAll(file, block.subarray(0, filled), end - filled);
          filled = 0;
        }
        const target = length > block.length ? Buffer.allocUnsafe(length) : block.subarray(filled, filled + length);
        readInto(this.#file, target, offset);
        if (length > block.length) writeAll(file, target, end);
        else filled += length;
        moved.set(key, { offset: end, length });
        end += length;
      }
      writeAll(file, block.subarray(0, filled), end - filled);
      writeAll(file, ZEROS.subarray(0, SLACK_BYTES), end);
      renameSync(path, this.path);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(this.#file);
    this.#file = file;
    this.#end = end;
    this.#allocated = end + SLACK_BYTES;
    for (const [key, place] of moved) this.#live.set(key, place);
  }
}

function compactPath(path: string): string {
  return `${path}.new`;
}

function parse(bytes: Buffer, path: string) {
  const entries = new Map<string, unknown>();
  const live = new Map<string, Place>();
  if (bytes.length < MAGIC.length && MAGIC.subarray(0, bytes.length).equals(bytes)) return { entries, live, end: 0 };
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error(`expected a journal that starts with ${MAGIC.toString('latin1')}, got another file: ${path}`);
  }
  let end = MAGIC.length;
  while (end + RECORD_HEADER_BYTES <= bytes.length) {
    const start = end + RECORD_HEADER_BYTES;
    const bodyBytes = bytes.readUInt32LE(end);
    // Zeros would pass for records without a body: the CRC of nothing is 0.
    if (bodyBytes === 0 || bodyBytes > MAX_RECORD_BYTES || start + bodyBytes > bytes.length) break;
    const body = bytes.subarray(start, start + bodyBytes);
    if (crc32(body) !== bytes.readUInt32LE(end + 4)) break;
    const record: { k?: string; v?: unknown; d?: string[] } = JSON.parse(body.toString('utf8'));
    for (const key of record.k === undefined ? (record.d ?? []) : [record.k]) {
      entries.delete(key);
      live.delete(key);
    }
    if (record.k !== undefined) {
      entries.set(record.k, record.v);
      live.set(record.k, { offset: end, length: RECORD_HEADER_BYTES + bodyBytes });
    }
    end = start + bodyBytes;
  }
  return { entries, live, end };
}

function readAll(file: number): Buffer {
  const bytes = Buffer.allocUnsafe(fstatSync(file).size);
  readInto(file, bytes, 0);
  return bytes;
}

function readInto(file: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const moved = readSync(file, target, done, target.length - done, position + done);
    if (moved === 0) throw new RangeError(`expected ${target.length} bytes at ${position}, got only ${done}`);
    done += moved;
  }
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}
