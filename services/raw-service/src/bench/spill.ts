import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@tidegate/bus';
import type { Epoch, PartitionId, PartitionRecord, Stamp } from '@tidegate/protocol';
import { ulid } from 'ulid';
import { Gate } from '../gate.js';
import { openTiers } from '../open-tiers.js';

const SHARED_MEMORY = '/dev/shm';
const TOTAL_BYTES = 96 << 20;
const MAX_FILES = 512;
const SIZES = [64 << 10, 1 << 20, 16 << 20] as const;
/** As many files at a time as the disk tier writes. */
const WRITERS = 8;
const READERS = 4;

/** Partitions of one size, from the memory tier to disk and back, beside plain files of as many bytes. */
export interface SpillRow {
  readonly partitionBytes: number;
  readonly partitions: number;
  /** Payload bytes per second, in 1e6, until all of them are durable. */
  readonly spillMegabytesPerSecond: number;
  readonly plainWriteMegabytesPerSecond: number;
  /** Whole partitions, checksum verified, from files that the page cache still has. */
  readonly readMegabytesPerSecond: number;
  readonly plainReadMegabytesPerSecond: number;
}

/**
 * Measures the disk tier against plain files that are written and synced, eight at a time, and read back.
 *
 * @param folder on the file system that is to be measured; what is made in it is removed again
 * @param options.memoryDir where the partitions come from; default on shared memory, where there is some
 * @param options.now monotonic clock in milliseconds
 */
export async function benchSpill(
  folder: string,
  options: { memoryDir?: string; totalBytes?: number; now?: () => number } = {},
): Promise<SpillRow[]> {
  const { totalBytes = TOTAL_BYTES, now = () => performance.now() } = options;
  const shared = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : folder;
  const memoryDir = options.memoryDir ?? join(shared, `tidegate-spill-${process.pid}`);
  const rows: SpillRow[] = [];
  // The first row once more, unmeasured: it compiles the code and makes the file system grow its journal.
  for (const [round, partitionBytes] of [SIZES[0], ...SIZES].entries()) {
    const partitions = Math.max(1, Math.min(MAX_FILES, Math.floor(totalBytes / partitionBytes)));
    const root = join(folder, `spill-${partitionBytes}`);
    const rate = async (work: () => Promise<void>) => {
      const start = now();
      await work();
      return (partitions * partitionBytes) / 1e3 / (now() - start);
    };
    const plain = await benchPlain(join(root, 'plain'), partitions, partitionBytes, rate);
    const tiers = await benchTiers({ root, memoryDir, partitions, partitionBytes, rate });
    await rm(root, { recursive: true });
    if (round === 0) continue;
    rows.push({
      partitionBytes,
      partitions,
      spillMegabytesPerSecond: tiers.write,
      plainWriteMegabytesPerSecond: plain.write,
      readMegabytesPerSecond: tiers.read,
      plainReadMegabytesPerSecond: plain.read,
    });
  }
  return rows;
}

interface Rates {
  readonly write: number;
  readonly read: number;
}

type Rate = (work: () => Promise<void>) => Promise<number>;

async function benchPlain(folder: string, files: number, bytes: number, rate: Rate): Promise<Rates> {
  await mkdir(folder, { recursive: true });
  const payload = new Uint8Array(bytes).fill(7);
  const paths = Array.from({ length: files }, (_, i) => join(folder, String(i)));
  const write = async (path: string) => {
    const file = await open(path, 'w');
    await file.writeFile(payload);
    await file.sync();
    await file.close();
  };
  const written = await rate(async () => {
    const gate = new Gate(WRITERS);
    await Promise.all(paths.map((path) => gate.run(() => write(path))));
    const directory = await open(folder, 'r');
    await directory.sync();
    await directory.close();
  });
  const read = await rate(async () => {
    const gate = new Gate(READERS);
    await Promise.all(paths.map((path) => gate.run(() => readFile(path))));
  });
  return { write: written, read };
}

async function benchTiers(options: {
  root: string;
  memoryDir: string;
  partitions: number;
  partitionBytes: number;
  rate: Rate;
}): Promise<Rates> {
  const { root, memoryDir, partitions, partitionBytes, rate } = options;
  const { memory, disk, close } = await openTiers({
    memoryDir,
    dataDir: join(root, 'data'),
    memoryBytes: partitions * partitionBytes,
    diskBytes: 4 * partitions * partitionBytes + (1 << 24),
    logger: silentLogger,
    onFreed: () => undefined,
  });
  const payload = new Uint8Array(partitionBytes).fill(7);
  const records = Array.from({ length: partitions }, () => record(partitionBytes));
  for (const one of records) {
    const reservation = memory.reserve(partitionBytes);
    if (reservation === undefined) throw new Error('expected room for every partition of the bench');
    reservation.write(0, payload);
    memory.commit(reservation, one);
  }
  const written = await rate(async () => {
    const sources = records.map((one) => ({
      record: one,
      read: (offset: number, target: Uint8Array) => memory.readInto(one.id, offset, target),
    }));
    const { failed } = await disk.writeAll(sources);
    if (failed[0] !== undefined) throw failed[0].error;
  });
  const read = await rate(async () => {
    const gate = new Gate(READERS);
    await Promise.all(records.map(({ id, box }) => gate.run(() => disk.readBox(id, box))));
  });
  memory.free(records.map(({ id }) => id));
  await close();
  return { write: written, read };
}

function record(bytes: number): PartitionRecord {
  return {
    id: ulid() as PartitionId,
    run: 'bench',
    variable: 'T',
    step: 0,
    epoch: 0 as Epoch,
    box: { lower: [0], upper: [bytes / 8] },
    dtype: 'float64',
    bytes,
    stamp: 1 as Stamp,
    createdAt: 0,
  };
}
