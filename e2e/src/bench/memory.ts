import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Tidegate } from '@tidegate/client';
import { startNatsServer, temporaryDirectory } from '@tidegate/testing';
import { memoryDirectory } from '../tests/memory-directory.js';
import { spawnTidegate } from '../tests/tidegate-process.js';
import { ended } from './bench-cluster.js';

/** What one service process holds beside the segments: /proc's private and file pages, without shared memory. */
export interface MemoryRow {
  readonly service: string;
  readonly stagedBytes: number;
  readonly residentBytes: number;
  readonly segmentBytes: number;
  /** Memory above the allowance of 150 MiB a service, for each staged byte. */
  readonly perStagedByte: number;
}

const ALLOWANCE_BYTES = 150 << 20;

/** Resident bytes of a process that are not pages of the memory tier. Linux only; 0 elsewhere. */
function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return (kibibytes('RssAnon') + kibibytes('RssFile')) * 1024;
  } catch {
    return 0;
  }
}

/** Bytes of all files below a folder. */
function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

const STAGED_BYTES = 768 << 20;

/** Memory of a raw-service and of a meta-service, each a process, with 768 MiB staged. */
export async function benchMemory(): Promise<MemoryRow[]> {
  const [data, shared] = [await temporaryDirectory('tidegate-bench-'), await memoryDirectory()];
  const server = await startNatsServer({ maxPayload: 8 << 20 });
  const folders = ['--data-dir', data.path, '--memory-dir', shared.path];
  const raw = await spawnTidegate({ args: ['run', 'raw', '--nats', server.url, ...folders, '--memory', '1GiB'] });
  const meta = await spawnTidegate({ args: ['run', 'meta', '--nats', server.url] });
  const tide = await connect({ servers: server.url });
  try {
    await stage(tide, STAGED_BYTES, 1 << 20);
    return [rowOf('raw-service', raw.pid, folderBytes(shared.path)), rowOf('meta-service', meta.pid, 0)];
  } finally {
    await tide.close();
    for (const child of [raw, meta]) await ended(child);
    await server.stop();
    await Promise.all([data.remove(), shared.remove()]);
  }
}

function rowOf(service: string, pid: number, segmentBytes: number): MemoryRow {
  const resident = residentBytes(pid);
  const beyond = Math.max(0, resident - ALLOWANCE_BYTES);
  const held = segmentBytes > 0 ? STAGED_BYTES + beyond : beyond;
  return {
    service,
    stagedBytes: STAGED_BYTES,
    residentBytes: resident,
    segmentBytes,
    perStagedByte: held / STAGED_BYTES,
  };
}

/** Stages `totalBytes` in blocks of `blockBytes`, all of which stay in memory. */
async function stage(tide: Tidegate, totalBytes: number, blockBytes: number): Promise<void> {
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
