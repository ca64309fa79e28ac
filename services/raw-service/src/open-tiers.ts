import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@tidegate/bus';
import { type DirectoryLock, lockDirectory } from './directory-lock.js';
import { DiskTier } from './disk-tier.js';
import { Journal } from './journal.js';
import { MemoryTier } from './memory-tier.js';
import { bootId } from './process-identity.js';
import { DEFAULT_SEGMENT_BYTES } from './segment-store.js';

/** Both tiers of a store, with what an earlier start left in them. */
export interface OpenTiers {
  readonly memory: MemoryTier;
  readonly disk: DiskTier;
  readonly journal: Journal;
  /** What the journal held when it was opened. */
  readonly entries: ReadonlyMap<string, unknown>;
  /** Closes everything; an empty memory tier's folder is removed. */
  close(): Promise<void>;
}

/**
 * Locks the folders and opens the tiers in them.
 *
 * @param options.onFreed called after room in memory was given back
 * @throws RangeError for a size that is none; Error if another process has a folder open, or the file system has no room for the segments
 */
export async function openTiers(options: {
  memoryDir: string;
  dataDir: string;
  memoryBytes: number;
  diskBytes: number;
  segmentBytes?: number;
  logger: Logger;
  onFreed: () => void;
}): Promise<OpenTiers> {
  const { memoryDir, dataDir, memoryBytes, diskBytes, logger, onFreed } = options;
  for (const [name, bytes] of Object.entries({ memoryBytes, diskBytes })) {
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new RangeError(`expected ${name} to be a positive number of bytes, got ${bytes}`);
    }
  }
  const locks: DirectoryLock[] = [];
  let journal: Journal | undefined;
  let memory: MemoryTier | undefined;
  try {
    // Other tools may read the disk tier: its folder gets the usual mode.
    await mkdir(dataDir, { recursive: true });
    for (const directory of [memoryDir, dataDir]) locks.push(lockDirectory(directory));
    const { journal: opened, recovered } = Journal.open(join(memoryDir, 'journal'));
    journal = opened;
    const { entries, cutBytes } = recovered;
    if (cutBytes > 0) logger.warn({ cutBytes }, 'the journal ended in a record that was never finished');
    memory = await MemoryTier.open({
      directory: memoryDir,
      limitBytes: memoryBytes,
      segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
      journal,
      entries,
      bootId: bootId(),
      logger,
      onFreed,
    });
    const disk = await DiskTier.open({ directory: dataDir, limitBytes: diskBytes, logger });
    const parts = { memory, disk, journal };
    return { ...parts, entries, close: () => closeTiers({ ...parts, locks, memoryDir }) };
  } catch (error) {
    memory?.close();
    journal?.close();
    for (const lock of locks) lock.release();
    throw error;
  }
}

async function closeTiers(parts: {
  memory: MemoryTier;
  disk: DiskTier;
  journal: Journal;
  locks: readonly DirectoryLock[];
  memoryDir: string;
}): Promise<void> {
  const { memory, disk, journal, locks, memoryDir } = parts;
  const emptied = memory.close();
  journal.close();
  disk.close();
  if (emptied) await rm(journal.path, { force: true });
  for (const lock of locks) lock.release();
  // Something else may lie in it; then it stays.
  if (emptied) await rmdir(memoryDir).catch(() => undefined);
}
