import { mkdir, mkdtemp, open, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { extractBox } from '@tidegate/array';
import { parseBox } from '@tidegate/geometry';
import {
  BadRequestError,
  NotFoundError,
  type PartitionRecord,
  StorageFullError,
  UnavailableError,
} from '@tidegate/protocol';
import { DiskTier } from '../disk-tier.js';
import type { FileSystemUse } from '../file-system-use.js';
import type { PartitionSource } from '../partition-file.js';
import { nextId, recordingLogger, sampleBytes, sampleRecord } from './partition-samples.js';

let directory: string;
let fileSystem: FileSystemUse;
const log = recordingLogger();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'disk-tier-'));
  fileSystem = { totalBytes: 1e12, usedBytes: 0, inodeShare: 0 };
  log.lines.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const openTier = (limitBytes = 1 << 30) =>
  DiskTier.open({ directory, limitBytes, logger: log.logger, fileSystemUse: async () => fileSystem });

function source(record: PartitionRecord): PartitionSource {
  const bytes = sampleBytes(record.id, record.bytes);
  return { record, read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)) };
}

async function write(tier: DiskTier, ...records: PartitionRecord[]) {
  expect(await tier.writeAll(records.map(source))).toMatchObject({ failed: [] });
}

describe('DiskTier', () => {
  test('answers sub-boxes of any kind and byte ranges, also after a restart', async () => {
    const record = sampleRecord({ box: '10:42,0:96,5:101', dtype: 'float64' });
    const opaque = sampleRecord({ box: '0:4', dtype: 'bytes', bytes: 3_000_000 });
    const first = await openTier();
    await write(first, record, opaque);
    first.close();
    const tier = await openTier();
    expect(tier.get(record.id)).toEqual(record);
    expect(tier.room.usedBytes).toBe(first.room.usedBytes);
    const bytes = sampleBytes(record.id, record.bytes);
    for (const text of [
      '10:42,0:96,5:101',
      '20:25,0:96,5:101',
      '11:41,1:95,6:100',
      '10:42,0:96,6:7',
      '30:31,7:8,9:10',
    ]) {
      const box = parseBox(text);
      expect(Buffer.compare(await tier.readBox(record.id, box), extractBox(bytes, record.box, box, 8))).toBe(0);
    }
    expect(await tier.readBytes(record.id, 1000, 77)).toEqual(bytes.slice(1000, 1077));
    expect(Buffer.compare(await tier.readBox(opaque.id, opaque.box), sampleBytes(opaque.id, 3_000_000))).toBe(0);
    await expect(tier.readBox(opaque.id, parseBox('0:3'))).rejects.toThrow(BadRequestError);
    await expect(tier.readBox(record.id, parseBox('0:11,0:1,5:6'))).rejects.toThrow(BadRequestError);
    await expect(tier.readBytes(record.id, 0, record.bytes + 1)).rejects.toThrow(BadRequestError);
    await expect(tier.readBox(nextId(), record.box)).rejects.toThrow(NotFoundError);
    tier.close();
  });

  test('writes a batch with one failure in it without the others noticing', async () => {
    const tier = await openTier();
    const records = Array.from({ length: 40 }, (_, i) => sampleRecord({ step: i % 3, run: `r${i % 2}` }));
    const [broken] = records;
    if (broken === undefined) throw new Error('none');
    await mkdir(join(directory, 'T', 'r0', '0'), { recursive: true });
    await symlink('/dev/full', join(directory, 'T', 'r0', '0', `${broken.id}.npy.tmp`));
    const { written, failed } = await tier.writeAll(records.map(source));
    expect(failed).toMatchObject([{ record: broken, error: { code: 'ENOSPC' } }]);
    expect(new Set(written)).toEqual(new Set(records.slice(1)));
    expect(tier.size).toBe(39);
    await write(tier, broken);
    expect(await tier.readBox(broken.id, broken.box)).toEqual(sampleBytes(broken.id, broken.bytes));
    tier.close();
  });

  test('deletes for good, with the folders that get empty', async () => {
    const tier = await openTier();
    const records = [0, 0, 1].map((step) => sampleRecord({ step }));
    await write(tier, ...records);
    const [a, b, c] = records.map(({ id }) => id) as [
      PartitionRecord['id'],
      PartitionRecord['id'],
      PartitionRecord['id'],
    ];
    await tier.readBox(a, parseBox('0:16,0:16'));
    expect(await tier.delete([a, a, nextId()])).toEqual([records[0]]);
    await expect(tier.readBox(a, parseBox('0:16,0:16'))).rejects.toThrow(NotFoundError);
    expect(await readdir(join(directory, 'T', 'default'))).toEqual(['0', '1']);
    const [first, second] = await Promise.all([tier.delete([b, c]), tier.delete([b, c])]);
    expect([first.length, second.length]).toEqual([2, 0]);
    expect(await readdir(directory)).toEqual([]);
    expect([tier.size, tier.room.usedBytes]).toEqual([0, 0]);
    await write(tier, sampleRecord({}));
    tier.close();
  });

  test('a deletion of a folder and a write into it do not disturb each other', async () => {
    const tier = await openTier();
    let standing = sampleRecord({});
    await write(tier, standing);
    for (let i = 0; i < 40; i++) {
      const next = sampleRecord({});
      await Promise.all([tier.delete([standing.id]), write(tier, next)]);
      standing = next;
      expect(await tier.readBox(next.id, next.box)).toEqual(sampleBytes(next.id, next.bytes));
    }
    tier.close();
  });

  test('says where a payload lies, which an open reader keeps though it is deleted', async () => {
    const record = sampleRecord({ box: '0:100' });
    const opaque = sampleRecord({ box: '0:4', dtype: 'bytes', bytes: 999 });
    const tier = await openTier();
    await write(tier, record, opaque);
    expect(tier.place(nextId())).toBeUndefined();
    for (const { id, bytes } of [record, opaque]) {
      const place = tier.place(id) ?? { path: '', offset: 0, bytes: 0 };
      const file = await open(place.path);
      await tier.delete([id]);
      const read = new Uint8Array(place.bytes);
      await file.read(read, 0, read.length, place.offset);
      await file.close();
      expect(Buffer.compare(read, sampleBytes(id, bytes))).toBe(0);
      expect(tier.place(id)).toBeUndefined();
    }
    tier.close();
  });

  test('notices damage when it reads a whole payload', async () => {
    const tier = await openTier();
    const record = sampleRecord({});
    await write(tier, record);
    const file = await open(join(directory, 'T', 'default', '0', `${record.id}.npy`), 'r+');
    await file.write(Uint8Array.of(1, 2, 3), 0, 3, 500);
    await file.close();
    await expect(tier.readBox(record.id, record.box)).rejects.toThrow(UnavailableError);
    await expect(tier.readBytes(record.id, 0, record.bytes)).rejects.toThrow(/damaged on disk/);
    expect(log.lines).toMatchObject([{ level: 50, partition: record.id }, { level: 50 }]);
    tier.close();
  });

  test('keeps the reserve of its limit, by what is held too', async () => {
    const tier = await openTier(100_000);
    const record = sampleRecord({ box: '0:10,0:1000', dtype: 'uint8' });
    expect(tier.room.hold(80_000)).toBe(true);
    expect(tier.room.fits(15_000)).toBe(false);
    const refused = await tier.writeAll([source(sampleRecord({ box: '0:15,0:1000', dtype: 'uint8' }))]);
    expect(refused.failed[0]?.error).toBeInstanceOf(StorageFullError);
    expect(refused.failed[0]?.error).toMatchObject({
      storage: { limit: 'disk', limitBytes: 100_000, needBytes: 15_000 },
    });
    await write(tier, record);
    tier.room.release(80_000);
    const { written, failed } = await tier.writeAll(
      Array.from({ length: 20 }, () => source(sampleRecord({ box: '0:10,0:1000', dtype: 'uint8' }))),
    );
    expect(written.length + failed.length).toBe(20);
    expect(tier.room.usedBytes).toBeLessThanOrEqual(95_000);
    expect(tier.room.usedBytes).toBeGreaterThan(75_000);
    tier.close();
  });
});
