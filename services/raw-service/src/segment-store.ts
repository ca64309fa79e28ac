import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { chmod, mkdir, open, readdir, stat, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Extent } from './extent-allocator.js';
import type { FileRange } from './partition-hold.js';

const FILL_BYTES = 1 << 20;
const SEGMENT_NAME = /^segment-([0-9]{4,})$/;
/** Size of a segment unless the whole room is smaller. */
export const DEFAULT_SEGMENT_BYTES = 64 << 20;

function segmentPath(directory: string, segment: number): string {
  return join(directory, `segment-${String(segment).padStart(4, '0')}`);
}

/** Sizes of the segments that make up a room: all equal but for the last one, which holds the rest. */
export function segmentSizes(totalBytes: number, segmentBytes: number): number[] {
  const sizes: number[] = [];
  for (let rest = totalBytes; rest > 0; rest -= segmentBytes) sizes.push(Math.min(segmentBytes, rest));
  return sizes;
}

/** Sizes of the segment files in a directory, by number; empty if it is not there. */
export async function existingSegments(directory: string): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const match = SEGMENT_NAME.exec(name);
    if (match !== null) found.set(Number(match[1]), (await stat(join(directory, name))).size);
  }
  return found;
}

/**
 * Fixed-size files in a memory-backed directory, allocated once and reused. Access is synchronous: on tmpfs a
 * positioned read or write is a memory copy, which no thread pool can make faster. Since nothing else runs in this
 * process meanwhile, a reader never meets room that is freed and given away under it.
 */
export class SegmentStore {
  readonly directory: string;
  readonly sizes: readonly number[];
  readonly #files: readonly number[];

  private constructor(directory: string, sizes: readonly number[], files: readonly number[]) {
    this.directory = directory;
    this.sizes = sizes;
    this.#files = files;
  }

  /**
   * Opens the segments, making the directory (mode 0700) and the files (0600) as needed. A file that is too short is
   * filled with zeros, so that there are no page faults later and a lack of room shows now; one of the right size is
   * left untouched; one that is too long is cut, and one that is not wanted is deleted.
   *
   * @throws Error when the file system has no room for them; files made by this call are gone again then
   */
  static async open(directory: string, sizes: readonly number[]): Promise<SegmentStore> {
    if ((await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined) await chmod(directory, 0o700);
    const existing = await existingSegments(directory);
    for (const segment of existing.keys()) {
      if (segment >= sizes.length) await unlink(segmentPath(directory, segment));
    }
    const filled: number[] = [];
    try {
      for (const [segment, size] of sizes.entries()) {
        const standing = existing.get(segment) ?? 0;
        if (standing === size) continue;
        filled.push(segment);
        await resize(segmentPath(directory, segment), standing, size);
      }
    } catch (cause) {
      for (const segment of filled) await undoResize(segmentPath(directory, segment), existing.get(segment));
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const message = `expected room for a memory tier of ${total} bytes in ${directory}, got ${code}`;
      throw new Error(`${message}: lower the memory budget or enlarge the file system`, { cause });
    }
    const files: number[] = [];
    try {
      for (const segment of sizes.keys()) files.push(openSync(segmentPath(directory, segment), 'r+'));
    } catch (error) {
      for (const file of files) closeSync(file);
      throw error;
    }
    return new SegmentStore(directory, sizes.slice(), files);
  }

  /** Writes `bytes` at `offset` of the buffer that the extents make up, across their borders. */
  write(extents: readonly Extent[], offset: number, bytes: Uint8Array): void {
    this.#transfer(writeSync, extents, offset, bytes);
  }

  /** Fills `target` from `offset` of the buffer that the extents make up, across their borders. */
  read(extents: readonly Extent[], offset: number, target: Uint8Array): void {
    this.#transfer(readSync, extents, offset, target);
  }

  /** Where the first `bytes` of what the extents make up lie, for a reader of its own; undefined where they lie apart. */
  place(extents: readonly Extent[], bytes: number): FileRange | undefined {
    const [extent] = extents;
    if (extent === undefined || extents.length > 1) return undefined;
    return { path: segmentPath(this.directory, extent.segment), offset: extent.offset, bytes };
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }

  /** Closes and deletes the files. */
  remove(): void {
    this.close();
    for (const segment of this.sizes.keys()) unlinkSync(segmentPath(this.directory, segment));
  }

  #transfer(
    call: (file: number, buffer: Uint8Array, offset: number, length: number, position: number) => number,
    extents: readonly Extent[],
    offset: number,
    buffer: Uint8Array,
  ): void {
    let skip = offset;
    let done = 0;
    for (const extent of extents) {
      if (done === buffer.length) return;
      if (skip >= extent.length) {
        skip -= extent.length;
        continue;
      }
      const file = this.#files[extent.segment];
      if (file === undefined)
        throw new RangeError(`expected a segment below ${this.#files.length}, got ${extent.segment}`);
      const end = Math.min(buffer.length, done + extent.length - skip);
      while (done < end) {
        const moved = call(file, buffer, done, end - done, extent.offset + skip);
        if (moved === 0)
          throw new RangeError(`expected ${end - done} more bytes in segment ${extent.segment}, got its end`);
        done += moved;
        skip += moved;
      }
      skip = 0;
    }
    if (done < buffer.length) {
      throw new RangeError(`expected ${buffer.length} bytes at ${offset} inside the extents, got only ${done}`);
    }
  }
}

async function resize(path: string, from: number, to: number): Promise<void> {
  if (from > to) {
    await truncate(path, to);
    return;
  }
  const zeros = new Uint8Array(FILL_BYTES);
  const file = await open(path, 'a', 0o600);
  try {
    for (let at = from; at < to; ) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(FILL_BYTES, to - at));
      at += bytesWritten;
    }
  } finally {
    await file.close();
  }
}

async function undoResize(path: string, size: number | undefined): Promise<void> {
  if (size === undefined) await unlink(path).catch(() => undefined);
  else await truncate(path, size).catch(() => undefined);
}
