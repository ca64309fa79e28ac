import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeNpy } from '@tidegate/array';
import { type PartitionSource, writePartition } from '../partition-file.js';
import { parseSidecar } from '../sidecar.js';
import { sampleBytes, sampleRecord } from './partition-samples.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'partition-file-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function source(record = sampleRecord({ step: 3, box: '4:36,0:100', dtype: 'float32' })): PartitionSource {
  const bytes = sampleBytes(record.id, record.bytes);
  return { record, read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)) };
}

describe('writePartition', () => {
  test('makes a .npy file and a sidecar that says what is in it', async () => {
    const { record, read } = source();
    const file = await writePartition(root, { record, read }, new Uint8Array(1000));
    const folder = join(root, 'T', 'default', '3');
    expect(await readdir(folder)).toEqual([`${record.id}.json`, `${record.id}.npy`]);
    const npy = await readFile(join(folder, `${record.id}.npy`));
    const { bytes, dtype, shape } = decodeNpy(npy);
    expect([dtype, shape]).toEqual(['float32', [32, 100]]);
    expect(new Uint8Array(bytes)).toEqual(sampleBytes(record.id, record.bytes));
    const text = await readFile(join(folder, `${record.id}.json`), 'utf8');
    expect(parseSidecar(text)).toEqual({ record, payload: file.payload });
    expect(file.payload).toMatchObject({ crc32: crc32(bytes), offset: npy.length - record.bytes });
    expect(file.fileBytes).toBe(npy.length + text.length);
  });

  test('an opaque object is its bytes and nothing else', async () => {
    const { record, read } = source(sampleRecord({ dtype: 'bytes', bytes: 777 }));
    await writePartition(root, { record, read }, new Uint8Array(100));
    const data = await readFile(join(root, 'T', 'default', '0', `${record.id}.bin`));
    expect(new Uint8Array(data)).toEqual(sampleBytes(record.id, 777));
    const empty = source(sampleRecord({ dtype: 'bytes', bytes: 0, step: 9 }));
    await writePartition(root, empty, new Uint8Array(100));
    expect(await readFile(join(root, 'T', 'default', '9', `${empty.record.id}.bin`))).toHaveLength(0);
  });

  test('leaves nothing behind when the disk is full, a name is taken, or the source fails', async () => {
    const folder = join(root, 'T', 'default', '3');
    await mkdir(folder, { recursive: true });
    const full = source();
    await symlink('/dev/full', join(folder, `${full.record.id}.npy.tmp`));
    await expect(writePartition(root, full, new Uint8Array(1000))).rejects.toThrow(/ENOSPC/);
    const taken = source();
    await mkdir(join(folder, `${taken.record.id}.json`));
    await expect(writePartition(root, taken, new Uint8Array(1000))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(await readdir(folder)).toEqual([`${taken.record.id}.json`]);
    const broken = {
      ...source(),
      read: () => {
        throw new Error('gone');
      },
    };
    await expect(writePartition(root, broken, new Uint8Array(1000))).rejects.toThrow('gone');
    expect(await readdir(folder)).toEqual([`${taken.record.id}.json`]);
    await writeFile(join(root, 'U'), 'a file where a folder should be');
    const blocked = source(sampleRecord({ variable: 'U' }));
    await expect(writePartition(root, blocked, new Uint8Array(1000))).rejects.toThrow(/EEXIST|ENOTDIR/);
    await writePartition(root, full, new Uint8Array(1000));
  });
});
