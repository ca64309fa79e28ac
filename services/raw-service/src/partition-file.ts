import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { encodeNpyHeader, isOpaque } from '@tidegate/array';
import { shapeOf } from '@tidegate/geometry';
import type { PartitionRecord } from '@tidegate/protocol';
import { dataName, sidecarName, stepFolder, temporaryName } from './disk-layout.js';
import { encodeSidecar, type SidecarPayload } from './sidecar.js';

/** A partition to be written: its record, and how to have its bytes. */
export interface PartitionSource {
  readonly record: PartitionRecord;
  /** Fills `target` from `offset` of the payload. */
  read(offset: number, target: Uint8Array): void;
}

/** A partition that lies in its two files. */
export interface PartitionFile {
  readonly record: PartitionRecord;
  readonly payload: SidecarPayload;
  /** Bytes of both files. */
  readonly fileBytes: number;
}

const OPEN_ATTEMPTS = 5;

/**
 * Writes the data file and the sidecar under temporary names, syncs both, and renames them, the sidecar last: its
 * rename is the commit point. The names are durable once the folders are synced. Leaves nothing behind if it fails.
 *
 * @param buffer scratch space through which the payload goes
 * @throws NodeJS.ErrnoException from the file system
 */
export async function writePartition(
  root: string,
  source: PartitionSource,
  buffer: Uint8Array,
): Promise<PartitionFile> {
  const { record } = source;
  const folder = join(root, ...stepFolder(record));
  const dataPath = join(folder, dataName(record));
  const sidecarPath = join(folder, sidecarName(record));
  const header = isOpaque(record.dtype) ? new Uint8Array(0) : encodeNpyHeader(record.dtype, shapeOf(record.box));
  const data = await create(folder, temporaryName(dataPath));
  try {
    const sidecar = await open(temporaryName(sidecarPath), 'w').catch(closing(data));
    let payload: SidecarPayload;
    let text: Buffer;
    try {
      const crc = await writePayload(data, header, source, buffer);
      payload = { file: dataName(record), offset: header.length, crc32: crc };
      text = Buffer.from(encodeSidecar({ record, payload }));
      await writeAll(sidecar, text, 0);
      await both(data.datasync(), sidecar.datasync());
    } finally {
      await both(data.close(), sidecar.close());
    }
    await rename(temporaryName(dataPath), dataPath);
    await rename(temporaryName(sidecarPath), sidecarPath);
    return { record, payload, fileBytes: header.length + record.bytes + text.length };
  } catch (error) {
    const leftovers = [temporaryName(sidecarPath), sidecarPath, temporaryName(dataPath), dataPath];
    await Promise.allSettled(leftovers.map((path) => rm(path, { force: true })));
    throw error;
  }
}

/** Makes the folder and the file; again if a deletion takes the folder, which was empty, in between. */
async function create(folder: string, path: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(folder, { recursive: true });
    try {
      return await open(path, 'w');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === OPEN_ATTEMPTS) throw error;
    }
  }
}

async function writePayload(file: FileHandle, header: Uint8Array, source: PartitionSource, buffer: Uint8Array) {
  const { bytes } = source.record;
  let crc = 0;
  await writeAll(file, header, 0);
  for (let offset = 0; offset < bytes; ) {
    const part = buffer.subarray(0, Math.min(buffer.length, bytes - offset));
    source.read(offset, part);
    crc = crc32(part, crc);
    await writeAll(file, part, header.length + offset);
    offset += part.length;
  }
  return crc;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Waits for both, also when one fails: a file must not be closed under the other's work. */
async function both(a: Promise<void>, b: Promise<void>): Promise<void> {
  for (const result of await Promise.allSettled([a, b])) {
    if (result.status === 'rejected') throw result.reason;
  }
}

function closing(file: FileHandle): (error: unknown) => Promise<never> {
  return async (error) => {
    await file.close();
    throw error;
  };
}
