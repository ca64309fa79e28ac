import type { FileHandle } from 'node:fs/promises';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { isOpaque, itemSize, packedBytes } from '@tidegate/array';
import type { Logger } from '@tidegate/bus';
import type { Box } from '@tidegate/geometry';
import {
  isTidegateError,
  NotFoundError,
  type PartitionId,
  type PartitionRecord,
  UnavailableError,
} from '@tidegate/protocol';
import { copySlab, planBoxRead, type ReadTuning } from './box-read.js';
import { DirectorySync } from './directory-sync.js';
import { dataName, sidecarName, stepFolder } from './disk-layout.js';
import { DiskRoom } from './disk-room.js';
import { removeIfEmpty, scanDisk } from './disk-scan.js';
import { FileCache } from './file-cache.js';
import type { FileSystemUse } from './file-system-use.js';
import { Gate } from './gate.js';
import { type PartitionFile, type PartitionSource, writePartition } from './partition-file.js';
import type { FileRange } from './partition-hold.js';
import { assertRange, assertReadable } from './readable.js';

const WRITERS = 8;
const READERS = 32;
const DELETERS = 8;
const OPEN_FILES = 64;
const WRITE_BUFFER_BYTES = 1 << 20;
/** A read through the thread pool costs as much as copying some ten kilobytes. */
const TUNING: ReadTuning = { longRun: 64 * 1024, maxGap: 64 * 1024, scratchBytes: 1 << 20 };
const RETRY_MS = 2000;

/** What became of a batch of partitions. */
export interface WriteOutcome {
  readonly written: readonly PartitionRecord[];
  readonly failed: readonly { readonly record: PartitionRecord; readonly error: Error }[];
}

/**
 * Partitions as plain files below a data directory: `<variable>/<run>/<step>/<id>.npy` (`.bin` for opaque objects) and
 * `<id>.json` beside it. A partition is here from the rename of its sidecar on, and is durable once `writeAll` has
 * returned. Files come and go while others are read; nothing is ever changed in place.
 */
export class DiskTier {
  readonly directory: string;
  /** Bytes that are to be had, and how full the disk is. */
  readonly room: DiskRoom;
  readonly #logger: Pick<Logger, 'warn' | 'error'>;
  readonly #files = new Map<PartitionId, PartitionFile>();
  readonly #deleting = new Map<PartitionId, Promise<unknown>>();
  readonly #writers = new Gate(WRITERS);
  readonly #readers = new Gate(READERS);
  readonly #deleters = new Gate(DELETERS);
  readonly #buffers: Uint8Array[] = [];
  readonly #directories = new DirectorySync();
  /** Folders of a variable's run whose own names, and that of the variable, are durable. */
  readonly #durableRuns = new Set<string>();
  readonly #open: FileCache;
  private constructor(options: DiskTierOptions) {
    this.directory = resolve(options.directory);
    this.room = new DiskRoom({ ...options, directory: this.directory });
    this.#logger = options.logger;
    this.#open = new FileCache(OPEN_FILES, (error) =>
      options.logger.warn({ err: error }, 'closing a data file failed'),
    );
  }

  /** Makes the directory as needed and takes the partitions in it: see `scanDisk` for what is dropped or moved away. */
  static async open(options: DiskTierOptions): Promise<DiskTier> {
    await mkdir(options.directory, { recursive: true });
    const tier = new DiskTier(options);
    for (const file of await scanDisk(options.directory, options.logger)) tier.#add(file);
    await tier.room.refresh();
    return tier;
  }

  get size(): number {
    return this.#files.size;
  }

  get(id: PartitionId): PartitionRecord | undefined {
    return this.#files.get(id)?.record;
  }

  *records(): Generator<PartitionRecord> {
    for (const { record } of this.#files.values()) yield record;
  }

  /** Where a payload lies, for a reader of its own: once open, the file stays whole though it is deleted. */
  place(id: PartitionId): FileRange | undefined {
    const file = this.#files.get(id);
    return file && { path: this.#dataPath(file), offset: file.payload.offset, bytes: file.record.bytes };
  }

  /**
   * Writes partitions and makes them durable: files are written and synced by a few workers at a time, and each folder
   * is synced once for the whole batch. One that fails leaves nothing behind and does not stop the others.
   *
   * @param options.held the room for them was set aside by `room.hold`, which this does not end
   */
  async writeAll(sources: readonly PartitionSource[], options: { held?: boolean } = {}): Promise<WriteOutcome> {
    const failed: { record: PartitionRecord; error: Error }[] = [];
    // By source, so that what is told of the batch comes in its order.
    const results = new Array<PartitionFile | undefined>(sources.length).fill(undefined);
    const write = async (source: PartitionSource, index: number) => {
      const { record } = source;
      const held = options.held === true;
      if (!held && !this.room.hold(record.bytes)) {
        failed.push({ record, error: this.room.full(record.bytes) });
        return;
      }
      try {
        results[index] = await this.#write(source);
      } catch (error) {
        failed.push({ record, error: error as Error });
        if (!held) this.room.release(record.bytes);
      }
    };
    await Promise.all(sources.map((source, index) => this.#writers.run(() => write(source, index))));
    const files = results.filter((file) => file !== undefined);
    const unsynced = await this.#syncFolders(files);
    const written: PartitionRecord[] = [];
    for (const file of files) {
      const { record } = file;
      const error = unsynced.get(file);
      if (options.held !== true) this.room.release(record.bytes);
      if (error === undefined) {
        this.#add(file);
        written.push(record);
      } else {
        failed.push({ record, error });
        await this.#unlink(file).catch((err: unknown) =>
          this.#logger.error({ err }, 'files of a failed write stay behind'),
        );
      }
    }
    await this.room.refresh();
    return { written, failed };
  }

  /**
   * The cells of `box`, packed row-major.
   * @throws NotFoundError, BadRequestError if the box is not inside the partition's, or only a part of an opaque one's,
   *   UnavailableError if the disk fails or a whole payload has not the checksum that it was written with
   */
  readBox(id: PartitionId, box: Box): Promise<Uint8Array<ArrayBuffer>> {
    return this.#read(id, async (file, { record, payload }) => {
      assertReadable(record, box);
      const size = itemSize(record.dtype);
      const bytes = isOpaque(record.dtype) ? record.bytes : packedBytes(box, size);
      const target = new Uint8Array(bytes);
      if (bytes === record.bytes) {
        await fill(file, payload.offset, target);
        verify(payload.crc32, target, id);
        return target;
      }
      let scratch: Uint8Array | undefined;
      for (const read of planBoxRead(record.box, box, size, TUNING)) {
        const { offset, length, targetOffset } = read;
        if (read.kind === 'direct') {
          await fill(file, payload.offset + offset, target.subarray(targetOffset, targetOffset + length));
        } else {
          const { scratchOffset, slabBytes } = read;
          if (scratch === undefined || scratch.length < slabBytes) scratch = new Uint8Array(slabBytes);
          await fill(file, payload.offset + offset, scratch.subarray(scratchOffset, scratchOffset + length));
          copySlab(read, scratch, target, size);
        }
      }
      return target;
    });
  }

  /** A range of the payload's bytes. @throws as `readBox`, BadRequestError if it reaches out of the payload */
  readBytes(id: PartitionId, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#read(id, async (file, { record, payload }) => {
      assertRange(record, offset, length);
      const target = new Uint8Array(length);
      await fill(file, payload.offset + offset, target);
      if (length === record.bytes) verify(payload.crc32, target, id);
      return target;
    });
  }

  /**
   * Deletes partitions for good, the sidecar first, and folders that get empty; unknown ids are no error. Once this
   * returns, those that another call is deleting are gone too.
   *
   * @throws NodeJS.ErrnoException if a sidecar could not be removed: its partition stays
   */
  async delete(ids: readonly PartitionId[]): Promise<PartitionRecord[]> {
    const files = [...new Set(ids)].flatMap((id) => this.#files.get(id) ?? []);
    const others = ids.flatMap((id) => this.#deleting.get(id) ?? []);
    for (const { record } of files) this.#files.delete(record.id);
    const work = this.#deleteFiles(files);
    for (const { record } of files) this.#deleting.set(record.id, work);
    try {
      await Promise.all([work, ...others]);
    } finally {
      for (const { record } of files) this.#deleting.delete(record.id);
    }
    return files.map(({ record }) => record);
  }

  close(): void {
    this.#open.clear();
  }

  #add(file: PartitionFile): void {
    this.#files.set(file.record.id, file);
    this.room.add(file.fileBytes);
  }

  async #write(source: PartitionSource): Promise<PartitionFile> {
    const buffer = this.#buffers.pop() ?? new Uint8Array(WRITE_BUFFER_BYTES);
    try {
      const file = await writePartition(this.directory, source, buffer);
      this.room.wrote(file.fileBytes);
      return file;
    } finally {
      this.#buffers.push(buffer);
    }
  }

  /** Makes the names of these files durable, and those of their folders; answers those for which that failed. */
  async #syncFolders(files: readonly PartitionFile[]): Promise<Map<PartitionFile, Error>> {
    const folders = new Map<string, PartitionFile[]>();
    const series = new Set<string>();
    const require = (folder: string, file: PartitionFile) => {
      const dependents = folders.get(folder);
      if (dependents === undefined) folders.set(folder, [file]);
      else dependents.push(file);
    };
    for (const file of files) {
      const [variable, run, step] = stepFolder(file.record);
      const runFolder = join(this.directory, variable, run);
      require(join(runFolder, step), file);
      require(runFolder, file);
      if (this.#durableRuns.has(runFolder)) continue;
      require(join(this.directory, variable), file);
      require(this.directory, file);
      series.add(runFolder);
    }
    const failed = new Map<PartitionFile, Error>();
    const sync = async ([folder, dependents]: [string, PartitionFile[]]) => {
      try {
        await this.#directories.sync(folder);
      } catch (error) {
        for (const file of dependents) failed.set(file, error as Error);
      }
    };
    await Promise.all([...folders].map((entry) => this.#writers.run(() => sync(entry))));
    if (failed.size === 0) for (const runFolder of series) this.#durableRuns.add(runFolder);
    return failed;
  }

  async #read<T>(id: PartitionId, task: (handle: FileHandle, file: PartitionFile) => Promise<T>): Promise<T> {
    const file = this.#files.get(id);
    if (file === undefined) throw new NotFoundError(`partition ${id} is not on disk`);
    try {
      return await this.#readers.run(() => this.#open.use(this.#dataPath(file), (handle) => task(handle, file)));
    } catch (cause) {
      if (isTidegateError(cause)) throw cause;
      if (!this.#files.has(id)) throw new NotFoundError(`partition ${id} was deleted`, { cause });
      this.#logger.error({ err: cause, partition: id }, 'reading a partition from disk failed');
      throw new UnavailableError(`reading partition ${id} failed: ${(cause as Error).message}`, RETRY_MS, { cause });
    }
  }

  async #deleteFiles(files: readonly PartitionFile[]): Promise<void> {
    const failures: unknown[] = [];
    const folders = new Set<string>();
    await Promise.all(
      files.map((file) =>
        this.#deleters.run(async () => {
          try {
            await this.#unlink(file);
            this.room.subtract(file.fileBytes);
            folders.add(dirname(this.#dataPath(file)));
          } catch (error) {
            this.#files.set(file.record.id, file);
            failures.push(error);
          }
        }),
      ),
    );
    await Promise.all([...folders].map((folder) => this.#pruneAndSync(folder)));
    await this.room.refresh();
    if (failures.length > 0) throw failures[0];
  }

  async #unlink(file: PartitionFile): Promise<void> {
    const data = this.#dataPath(file);
    await rm(join(dirname(data), sidecarName(file.record)), { force: true });
    this.#open.drop(data);
    // Without its sidecar it is nobody's: the next start would drop it.
    await rm(data, { force: true }).catch((err: unknown) => this.#logger.warn({ err, data }, 'data file stays behind'));
  }

  /** Removes a step's folder, its run's and its variable's while they are empty, and syncs the one that stays. */
  async #pruneAndSync(folder: string): Promise<void> {
    let standing = folder;
    while (standing !== this.directory) {
      this.#durableRuns.delete(standing);
      if (!(await removeIfEmpty(standing))) break;
      standing = dirname(standing);
    }
    await this.#directories.sync(standing).catch((error: NodeJS.ErrnoException) => {
      // Another deletion found it empty.
      if (error.code !== 'ENOENT') throw error;
    });
  }

  #dataPath({ record }: PartitionFile): string {
    return join(this.directory, ...stepFolder(record), dataName(record));
  }
}

export interface DiskTierOptions {
  readonly directory: string;
  readonly limitBytes: number;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  /** Stands in for the file system's answer, in tests. */
  readonly fileSystemUse?: (directory: string) => Promise<FileSystemUse>;
}

async function fill(file: FileHandle, position: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new RangeError(`expected ${target.length} bytes at ${position}, got only ${done}`);
    done += bytesRead;
  }
}

function verify(expected: number, payload: Uint8Array, id: PartitionId): void {
  const actual = crc32(payload);
  if (actual !== expected) {
    const shown = [expected, actual].map((crc) => crc.toString(16).padStart(8, '0'));
    throw new Error(`expected payload checksum ${shown[0]}, got ${shown[1]}: partition ${id} is damaged on disk`);
  }
}
