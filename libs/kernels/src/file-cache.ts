import { closeSync, openSync, readSync } from 'node:fs';
import { UnavailableError } from '@tidegate/protocol';
import type { ByteSource, FileSlice, PieceData } from './piece-data.js';

/** When a read that failed may be tried again: the piece has perhaps moved to another tier. */
const RETRY_MS = 100;

interface OpenFile {
  readonly descriptor: number;
  usedAt: number;
}

/**
 * Files that are open for reading: at most `limit`, none longer than `idleMs` after its last use, since an open file
 * that is deleted still takes room. A path must always name the same bytes while it exists.
 */
export class FileCache {
  readonly #limit: number;
  readonly #idleMs: number;
  readonly #now: () => number;
  /** The least recently used one first. */
  readonly #files = new Map<string, OpenFile>();

  constructor({ limit = 64, idleMs = 2000, now }: { limit?: number; idleMs?: number; now: () => number }) {
    this.#limit = limit;
    this.#idleMs = idleMs;
    this.#now = now;
  }

  get size(): number {
    return this.#files.size;
  }

  /** The bytes of a piece as something that can be read from. */
  source(data: PieceData): ByteSource {
    if ('file' in data) {
      const { file } = data;
      return (offset, target) => this.read(file, offset, target);
    }
    const { bytes } = data;
    return (offset, target) => target.set(bytes.subarray(offset, offset + target.length));
  }

  /**
   * Fills `target` from `offset` of the slice.
   * @throws UnavailableError if the file cannot be read or ends before
   */
  read(file: FileSlice, offset: number, target: Uint8Array): void {
    const { path } = file;
    let done = 0;
    try {
      const descriptor = this.#descriptor(path);
      while (done < target.length) {
        const read = readSync(descriptor, target, done, target.length - done, file.offset + offset + done);
        if (read === 0) break;
        done += read;
      }
    } catch (error) {
      throw new UnavailableError(`cannot read ${path}: ${(error as Error).message}`, RETRY_MS, { cause: error });
    }
    if (done < target.length) {
      throw new UnavailableError(`${path} ends ${target.length - done} bytes early`, RETRY_MS);
    }
  }

  #descriptor(path: string): number {
    const known = this.#files.get(path);
    const usedAt = this.#now();
    this.#files.delete(path);
    const file = known ?? { descriptor: openSync(path, 'r'), usedAt };
    file.usedAt = usedAt;
    this.#files.set(path, file);
    if (this.#files.size > this.#limit) {
      const [oldest] = this.#files.keys();
      if (oldest !== undefined) this.#close(oldest);
    }
    return file.descriptor;
  }

  #close(path: string): void {
    const file = this.#files.get(path);
    this.#files.delete(path);
    if (file !== undefined) closeSync(file.descriptor);
  }

  /** Closes what has not been used for a while; all files with `true`. */
  prune(all = false): void {
    const before = this.#now() - this.#idleMs;
    for (const [path, { usedAt }] of [...this.#files]) if (all || usedAt <= before) this.#close(path);
  }
}
