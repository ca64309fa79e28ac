import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one test. */
export interface TemporaryDirectory {
  readonly path: string;
  /** Removes the folder and what is in it. */
  remove(): Promise<void>;
}

/** Makes an empty folder below the system's temporary one. */
export async function temporaryDirectory(prefix = 'tidegate-'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
