import { readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const MIB = 1 << 20;
const GIB = 1 << 30;
export const DEFAULT_MEMORY_BYTES = GIB;
export const DEFAULT_DISK_BYTES = 64 * GIB;
/** JetStream holds buckets and events, whose own limits add up to less than the first of these. */
const LEAST_JETSTREAM_BYTES = 2 * GIB;
export const MOST_JETSTREAM_BYTES = 8 * GIB;
const JETSTREAM_SHARE = 1 / 8;

/** Room of a file system for a folder, in bytes: what is free, and what the folder itself uses already. */
export interface Room {
  readonly freeBytes: number;
  readonly usedBytes: number;
}

/**
 * The room for a folder, which need not exist yet. What the folder uses is counted, so that a budget is the same at every
 * start, but only where less than `enoughBytes` are free: it may be a big tree.
 */
export async function roomOf(folder: string, enoughBytes: number): Promise<Room> {
  const { bavail, bsize } = await statfs(await existingAncestor(folder));
  const freeBytes = bavail * bsize;
  return { freeBytes, usedBytes: freeBytes >= enoughBytes ? 0 : await bytesBelow(folder) };
}

/** Memory for each of `services` raw-services: 1 GiB, or less so that all take no more than half of the room. */
export function defaultMemoryBytes({ freeBytes, usedBytes }: Room, services: number): number {
  return wholeMebibytes(Math.min(DEFAULT_MEMORY_BYTES, (freeBytes + usedBytes) / 2 / services));
}

/** Most bytes for JetStream's files: an eighth of the room, but from 2 to 8 GiB. */
export function jetStreamBytes({ freeBytes, usedBytes }: Room): number {
  const share = (freeBytes + usedBytes) * JETSTREAM_SHARE;
  return wholeMebibytes(Math.min(MOST_JETSTREAM_BYTES, Math.max(LEAST_JETSTREAM_BYTES, share)));
}

/** Disk for each of `services` raw-services: 64 GiB, or less so that all fit beside `reservedBytes` of others. */
export function defaultDiskBytes({ freeBytes, usedBytes }: Room, services: number, reservedBytes: number): number {
  return wholeMebibytes(Math.min(DEFAULT_DISK_BYTES, (freeBytes + usedBytes - reservedBytes) / services));
}

function wholeMebibytes(bytes: number): number {
  return Math.max(MIB, Math.floor(bytes / MIB) * MIB);
}

async function existingAncestor(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    if (dirname(path) === path || (await exists(path))) return path;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const path = next;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) folders.push(join(path, entry.name));
    const files = entries.filter((entry) => entry.isFile());
    // One folder at a time, and its files in one go: a folder holds the partitions of one step.
    const sizes = await Promise.all(
      files.map((file) =>
        stat(join(path, file.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    bytes += sizes.reduce((sum, size) => sum + size, 0);
  }
  return bytes;
}
