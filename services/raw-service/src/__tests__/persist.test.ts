import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StorageFullError } from '@tidegate/protocol';
import { Moving } from '../moving.js';
import { type OpenTiers, openTiers } from '../open-tiers.js';
import { persist } from '../persist.js';
import { StepCatalog } from '../step-catalog.js';
import { nextId, recordingLogger, sampleBytes, sampleRecord } from './partition-samples.js';

let root: string;
let tiers: OpenTiers;
let onDisk: StepCatalog;
let moving: Moving;

async function open(diskBytes: number) {
  root = await mkdtemp(join(tmpdir(), 'persist-'));
  const folders = { memoryDir: join(root, 'memory'), dataDir: join(root, 'data') };
  const { logger } = recordingLogger();
  tiers = await openTiers({ ...folders, memoryBytes: 1 << 20, diskBytes, logger, onFreed: () => undefined });
}

beforeEach(async () => {
  await open(1 << 24);
  onDisk = new StepCatalog();
  moving = new Moving();
});
afterEach(async () => {
  await tiers.close();
  await rm(root, { recursive: true, force: true });
});

function hold() {
  const record = sampleRecord({});
  const reservation = tiers.memory.reserve(record.bytes);
  if (reservation === undefined) throw new Error('no room');
  reservation.write(0, sampleBytes(record.id, record.bytes));
  tiers.memory.commit(reservation, record);
  return record;
}

const work = (ids: Parameters<typeof persist>[1]) =>
  persist({ memory: tiers.memory, disk: tiers.disk, onDisk, moving }, ids);

describe('persist', () => {
  test('writes what memory has, once, whoever asks how often', async () => {
    const records = [hold(), hold(), hold()];
    const ids = records.map(({ id }) => id);
    const unknown = nextId();
    const both = await Promise.all([work([...ids, unknown]), work([unknown, ...ids, ...ids])]);
    expect(both).toEqual([
      { persisted: ids, gone: [unknown] },
      { persisted: ids, gone: [unknown] },
    ]);
    const used = tiers.disk.room.usedBytes;
    expect(await work(ids)).toEqual({ persisted: ids, gone: [] });
    expect(tiers.disk.room.usedBytes).toBe(used);
    for (const { id, box, bytes } of records) {
      expect(tiers.memory.get(id)).toBeDefined();
      expect(Buffer.compare(await tiers.disk.readBox(id, box), sampleBytes(id, bytes))).toBe(0);
    }
    expect(onDisk.steps('T.default')).toEqual([0]);
    tiers.memory.free(ids);
    expect(await work(ids)).toEqual({ persisted: ids, gone: [] });
  });

  test('says that the disk is full, or what the file system said, and leaves memory as it is', async () => {
    const { id } = hold();
    await writeFile(join(root, 'data', 'T'), 'a file where a folder has to be');
    await expect(work([id])).rejects.toMatchObject({ code: expect.stringMatching(/EEXIST|ENOTDIR/) });
    expect([moving.of([id]), tiers.disk.get(id), onDisk.steps('T.default')]).toEqual([undefined, undefined, []]);
    await tiers.close();
    await rm(root, { recursive: true });
    await open(1024);
    const other = hold();
    await expect(work([other.id])).rejects.toBeInstanceOf(StorageFullError);
    expect(tiers.memory.get(other.id)).toBeDefined();
  });
});
