import type { Logger } from '@tidegate/bus';
import { StorageFullError, type StorageFullFields } from '@tidegate/protocol';
import { type FileSystemUse, fileSystemUse } from './file-system-use.js';
import { fullMark, type Level, nextLevel, WATERMARKS, worse } from './watermark.js';

/** Room for the header and the sidecar of a partition without a long annotation. */
const OVERHEAD_BYTES = 1024;
const RETRY_MS = 2000;
const PER_MILLION = 1e6;

/**
 * What the disk tier may still write: its own limit, and the space and inodes of a file system that others use too.
 * Of each the last share is a reserve that payloads never get.
 */
export class DiskRoom {
  readonly limitBytes: number;
  readonly #directory: string;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #ask: (directory: string) => Promise<FileSystemUse>;
  #usedBytes = 0;
  #heldBytes = 0;
  #fileSystem: FileSystemUse = { totalBytes: 0, usedBytes: 0, inodeShare: 0 };
  /** Bytes written since the file system was asked. */
  #writtenSince = 0;
  #level: Level = 'ok';

  constructor(options: {
    directory: string;
    limitBytes: number;
    logger: Pick<Logger, 'warn'>;
    fileSystemUse?: (directory: string) => Promise<FileSystemUse>;
  }) {
    this.limitBytes = options.limitBytes;
    this.#directory = options.directory;
    this.#logger = options.logger;
    this.#ask = options.fileSystemUse ?? fileSystemUse;
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** How full the limit, the file system's space, or its inodes are, whichever is worst. */
  get level(): Level {
    return this.#level;
  }

  /** Whether a payload of so many bytes would leave every reserve alone. */
  fits(bytes: number): boolean {
    const need = bytes + OVERHEAD_BYTES;
    return this.#usedBytes + this.#heldBytes + need <= fullMark(this.limitBytes) && this.#fileSystemFits(need);
  }

  /** Sets room aside for a payload that is to come; false if there is none. */
  hold(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#heldBytes += bytes + OVERHEAD_BYTES;
    return true;
  }

  /** Ends a `hold`. */
  release(bytes: number): void {
    this.#heldBytes -= bytes + OVERHEAD_BYTES;
  }

  /** Counts files that stand. */
  add(fileBytes: number): void {
    this.#usedBytes += fileBytes;
    this.#updateLevel();
  }

  /** Counts files that are gone. */
  subtract(fileBytes: number): void {
    this.#usedBytes -= fileBytes;
    this.#updateLevel();
  }

  /** Counts what was written, until the file system tells itself. */
  wrote(fileBytes: number): void {
    this.#writtenSince += fileBytes;
  }

  /** Asks the file system for its use. */
  async refresh(): Promise<void> {
    this.#writtenSince = 0;
    try {
      this.#fileSystem = await this.#ask(this.#directory);
    } catch (error) {
      this.#logger.warn({ err: error, directory: this.#directory }, 'the use of the file system is not known');
    }
    this.#updateLevel();
  }

  /** What a STORAGE_FULL says when the disk is what stands in the way. */
  refusal(): Omit<StorageFullFields, 'needBytes'> {
    const { usedBytes, totalBytes } = this.#fileSystem;
    const own = this.#usedBytes + this.#heldBytes;
    // The file system is named only where it is what refuses.
    const bySystem = own + OVERHEAD_BYTES <= fullMark(this.limitBytes) && !this.#fileSystemFits(0);
    return {
      retryAfterMs: RETRY_MS,
      state: 'full',
      limit: 'disk',
      usedBytes: bySystem ? usedBytes + this.#writtenSince : own,
      limitBytes: bySystem ? totalBytes : this.limitBytes,
    };
  }

  /** The error for a payload that has no room. */
  full(bytes: number): StorageFullError {
    const fields = { ...this.refusal(), needBytes: bytes };
    const { usedBytes, limitBytes } = fields;
    return new StorageFullError(
      `expected room for ${bytes} bytes on disk, which has ${usedBytes} of ${limitBytes} bytes in use`,
      fields,
    );
  }

  #fileSystemFits(bytes: number): boolean {
    const { totalBytes, usedBytes, inodeShare } = this.#fileSystem;
    if (totalBytes === 0) return true;
    return usedBytes + this.#writtenSince + bytes <= fullMark(totalBytes) && inodeShare < WATERMARKS.full;
  }

  #updateLevel(): void {
    const { totalBytes, usedBytes, inodeShare } = this.#fileSystem;
    const standing = this.#level;
    const own = nextLevel(standing, { used: this.#usedBytes, limit: this.limitBytes });
    const written = usedBytes + this.#writtenSince;
    const space = totalBytes === 0 ? 'ok' : nextLevel(standing, { used: written, limit: totalBytes });
    const inodes = nextLevel(standing, { used: inodeShare * PER_MILLION, limit: PER_MILLION });
    this.#level = worse(worse(own, space), inodes);
  }
}
