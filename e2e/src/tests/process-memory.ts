import { readFile } from 'node:fs/promises';

/** Resident memory of a process in bytes (Linux): `shared` is what it mapped of tmpfs files, the memory tier's segments. */
export interface ProcessMemory {
  readonly anonymous: number;
  readonly file: number;
  readonly shared: number;
  /** `VmRSS`: the sum of the three. */
  readonly resident: number;
}

/** Reads /proc/PID/status. */
export async function processMemory(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
    if (!found) throw new Error(`expected ${name} in /proc/${pid}/status`);
    return Number(found[1]) * 1024;
  };
  return { anonymous: bytes('RssAnon'), file: bytes('RssFile'), shared: bytes('RssShmem'), resident: bytes('VmRSS') };
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
