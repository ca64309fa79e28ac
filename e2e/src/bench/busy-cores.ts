import { cpus } from 'node:os';
import { spawnProcess } from '@tidegate/testing';

const SPIN = "console.log('ready'); for (;;);";

/** Keeps every core busy with a process of usual priority that does nothing else. @returns what ends them */
export async function keepCoresBusy(): Promise<() => Promise<void>> {
  const spinning = await Promise.all(
    cpus().map(() => spawnProcess({ command: process.execPath, args: ['-e', SPIN], readyLine: /^ready$/ })),
  );
  return async () => {
    for (const child of spinning) {
      child.kill('SIGKILL');
      await child.waitExit();
    }
  };
}
