import { readFileSync } from 'node:fs';

/**
 * When a process started, in the kernel's ticks: with the pid it names one process for good (proc(5), field 22 of
 * `stat`). Empty where the system does not tell; undefined where there is no such process, or only its remains.
 */
export function processStart(pid: number): string | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat !== undefined) {
    // The second field, the command in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  if (readProc('self/stat') !== undefined) return undefined;
  return isRunning(pid) ? '' : undefined;
}

/** The arguments of a process; none where the system does not tell. */
export function processArguments(pid: number): readonly string[] {
  return (readProc(`${pid}/cmdline`) ?? '').split('\0').slice(0, -1);
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
