import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TemporaryDirectory } from '@tidegate/testing';

const SHARED_MEMORY = '/dev/shm';

/** A folder for one memory tier: in shared memory where the system has it. */
export async function memoryDirectory(): Promise<TemporaryDirectory> {
  const parent = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir();
  const path = await mkdtemp(join(parent, 'tidegate-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
