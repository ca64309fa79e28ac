import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Tidegate } from '@tidegate/client';

/** What one service process holds beside the segments: /proc's private and file pages, without shared memory. */
export interface MemoryRow {
  readonly service: string;
  readonly stagedBytes: number;
  readonly residentBytes: number;
  readonly segmentBytes: number;
  /** Memory above the allowance of 150 MiB a service, for each staged byte. */
  readonly perStagedByte: number;
}

export const ALLOWANCE_BYTES = 150 << 20;

/** Resident bytes of a process that are not pages of the memory tier. Linux only; 0 elsewhere. */
export function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return (kibibytes('RssAnon') + kibibytes('RssFile')) * 1024;
  } catch {
    return 0;
  }
}

/** Bytes of all files below a folder. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

/** Stages `totalBytes` in blocks of `blockBytes`, all of which stay in memory. */
export async function stage(tide: Tidegate, totalBytes: number, blockBytes: number): Promise<void> {
  const cells = blockBytes / 8;
  const data = new Float64Array(cells);
  const blocks = Math.floor(totalBytes / blockBytes);
  await tide.declare({ name: 'bench_memory', dtype: 'float64', shape: [8, cells], window: 100_000 });
  for (let block = 0; block < blocks; block++) {
    await tide.put({
      variable: 'bench_memory',
      step: Math.floor(block / 8),
      box: `${block % 8}:${(block % 8) + 1},0:${cells}`,
      data,
    });
  }
}
