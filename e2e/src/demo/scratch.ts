import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders for the data of one run. */
export interface Scratch {
  readonly dataDir: string;
  readonly memoryDir: string;
  /** What `remove` removes. */
  readonly folders: readonly string[];
  /** Free where the memory tier is. */
  readonly freeMemoryBytes: number;
  remove(): void;
}

const SHARED_MEMORY = '/dev/shm';

/** Makes the folders, the one for the memory tier in memory where there is such a place. They go with this process. */
export function scratchFolders(): Scratch {
  const folders: string[] = [];
  const remove = () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', remove);
  const dataDir = mkdtempSync(join(tmpdir(), 'tidegate-demo-'));
  folders.push(dataDir);
  let memoryDir = join(dataDir, 'memory');
  if (writable(SHARED_MEMORY)) {
    memoryDir = mkdtempSync(join(SHARED_MEMORY, 'tidegate-demo-'));
    folders.push(memoryDir);
  }
  const { bavail, bsize } = statfsSync(folders.at(-1) as string);
  return { dataDir, memoryDir, folders, freeMemoryBytes: bavail * bsize, remove };
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
