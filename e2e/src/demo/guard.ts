import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is to go when the demo is killed and cannot see to it. */
export interface GuardJob {
  /** Process group of the service. */
  readonly pid: number;
  readonly folders: readonly string[];
}

const STOP_MS = 15_000;
const ASK_MS = 100;

const { pid, folders } = JSON.parse(process.argv[2] ?? '') as GuardJob;
// The channel closes when the process at its other end is gone, however that came about.
process.once('disconnect', cleanUp);

async function cleanUp(): Promise<void> {
  signal(pid, 'SIGTERM');
  for (let waited = 0; waited < STOP_MS && signal(pid, 0); waited += ASK_MS) await sleep(ASK_MS);
  signal(-pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** @returns false where there is no such process */
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, name);
  } catch {
    return false;
  }
}
