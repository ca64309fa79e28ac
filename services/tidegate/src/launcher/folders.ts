import { createHash } from 'node:crypto';
import { accessSync, constants, readdirSync, rmdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SHARED_MEMORY = '/dev/shm';
export const DEFAULT_DATA_DIR = './tidegate-data';

/**
 * The memory directory of a data directory: one in shared memory that is the same at every start, or a folder of the data
 * directory where the system has no shared memory.
 */
export function defaultMemoryDir(dataDir: string, sharedMemory: string = SHARED_MEMORY): string {
  const absolute = resolve(dataDir);
  try {
    accessSync(sharedMemory, constants.W_OK);
  } catch {
    return join(absolute, 'memory');
  }
  const hash = createHash('sha256').update(absolute).digest('hex').slice(0, 12);
  return join(sharedMemory, `tidegate-${hash}`);
}

/** Folder of the n-th raw-service, from 1. */
export function rawFolder(parent: string, number: number): string {
  return join(parent, `raw-${number}`);
}

/** Numbers of the raw-services that a data directory has folders of. */
export function rawNumbers(dataDir: string): readonly number[] {
  return readdirSync(dataDir)
    .map((name) => Number(/^raw-([1-9][0-9]*)$/.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((a, b) => a - b);
}

/** Removes folders that are empty or not there; lets the others be. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
    }
  }
}
