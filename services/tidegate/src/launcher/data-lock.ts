import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConflictError } from '@tidegate/protocol';
import { processStart } from './process-start.js';

const FILE = 'tidegate.lock';
const ATTEMPTS = 10;

/** A data directory that this process alone uses. */
export interface DataLock {
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** See `processStart`: a pid alone may belong to another process by now. */
  readonly start: string;
}

/**
 * Takes a data directory, making it as needed. The lock of a process that is gone is taken over.
 *
 * @throws ConflictError where a live process uses the directory
 */
export function lockDataDir(directory: string): DataLock {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, FILE);
  const draft = `${path}.${process.pid}`;
  const own = JSON.stringify({ pid: process.pid, start: processStart(process.pid) ?? '' } satisfies Holder);
  writeFileSync(draft, own);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (tryLink(draft, path)) return { release: () => releaseLock(path, own) };
      const text = readLock(path);
      if (text === undefined) continue;
      const holder = parseHolder(text);
      if (holder && isAlive(holder)) {
        throw new ConflictError(
          `${directory} is in use by process ${holder.pid} (${path}): stop it, or use another --data-dir`,
          {
            pid: holder.pid,
          },
        );
      }
      removeStale(path, `${draft}.stale`, text);
    }
    throw new ConflictError(`${directory} is being taken by another process (${path})`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Linking is atomic and fails where the lock stands, so that a lock is never seen half written. */
function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale lock aside; another process may have put its own there meanwhile, which is then put back. */
function removeStale(path: string, aside: string, stale: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readLock(aside) !== stale) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function releaseLock(path: string, own: string): void {
  if (readLock(path) === own) rmSync(path, { force: true });
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The holder; none for a text that no lock has, which a full disk may leave. */
function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, start } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' && typeof start === 'string' ? { pid, start } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, start }: Holder): boolean {
  return processStart(pid) === start;
}
