import { linkSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from './process-identity.js';

const LOCK = 'lock';
const ATTEMPTS = 10;

/** Keeps a directory to one open store. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a directory, which is made as needed. A lock that a dead process left behind is taken over.
 * @throws Error if a store of this process or of another live one has the directory open
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, LOCK);
  const own = `${process.pid} ${processStart(process.pid) ?? ''}`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (tryLink(draft, path)) return { release: () => rmSync(path, { force: true }) };
      const holder = readLock(path);
      if (holder === undefined) continue;
      const [pid = '', start] = holder.split(' ');
      const standing = processStart(Number(pid));
      if (holder === own || (standing !== undefined && standing === start)) {
        throw new Error(`expected ${directory} to be free, but process ${pid} has it open (${path})`);
      }
      rmSync(path, { force: true });
    }
    throw new Error(`expected to lock ${directory}, but others took it ${ATTEMPTS} times in between`);
  } finally {
    unlinkSync(draft);
  }
}

/** Linking is atomic and fails where the lock stands, so a lock is never seen half written. */
function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
