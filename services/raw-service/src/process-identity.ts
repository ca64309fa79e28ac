import { readFileSync } from 'node:fs';

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No Linux, or no such process: the callers have an answer for both.
    return undefined;
  }
}

/** Changes with every start of the host, so what memory held under another one is gone. Empty where it is not known. */
export function bootId(): string {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/**
 * When a process started, in the kernel's ticks: with the pid it names one process for good. Undefined if there is no
 * such process or if it is dead and not yet waited for; empty where the kernel does not tell.
 */
export function processStart(pid: number): string | undefined {
  const status = readProc(`/proc/${pid}/stat`);
  if (status === undefined) {
    if (readProc('/proc/self/stat') !== undefined) return undefined;
    return isRunning(pid) ? '' : undefined;
  }
  // The second field is the command in parentheses and may hold anything; the third is the state, the 22nd the start.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
