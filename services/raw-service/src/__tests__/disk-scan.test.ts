import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PartitionRecord } from '@tidegate/protocol';
import { removeIfEmpty, scanDisk } from '../disk-scan.js';
import { writePartition } from '../partition-file.js';
import { recordingLogger, sampleBytes, sampleRecord } from './partition-samples.js';

let root: string;
const log = recordingLogger();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scan-'));
  log.lines.length = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(record: PartitionRecord): Promise<string> {
  const bytes = sampleBytes(record.id, record.bytes);
  const read = (offset: number, target: Uint8Array) => target.set(bytes.subarray(offset, offset + target.length));
  await writePartition(root, { record, read }, new Uint8Array(4096));
  return join(root, record.variable, record.run, String(record.step), record.id);
}

const found = async () =>
  (await scanDisk(root, log.logger)).map(({ record }) => record).sort((a, b) => (a.id < b.id ? -1 : 1));

describe('scanDisk', () => {
  test('finds every partition, and says nothing when all is well', async () => {
    const records = ['T', 'U'].flatMap((variable) =>
      ['r1', 'r2'].flatMap((run) => [0, 1, 10].map((step) => sampleRecord({ variable, run, step, box: '0:4' }))),
    );
    for (const record of records) await write(record);
    expect(await found()).toEqual(records);
    expect(log.lines).toEqual([]);
  });

  test('drops what a crash left half written, with the folders that it made', async () => {
    const kept = sampleRecord({ step: 1 });
    const keptPath = await write(kept);
    const orphan = await write(sampleRecord({ step: 1 }));
    await rm(`${orphan}.json`);
    const alone = await write(sampleRecord({ run: 'other', step: 2 }));
    await rm(`${alone}.json`);
    await writeFile(`${keptPath}.npy.tmp`, 'half');
    await writeFile(`${keptPath}.json.tmp`, 'half');
    expect(await found()).toEqual([kept]);
    expect(await readdir(join(root, 'T'))).toEqual(['default', 'other']);
    expect((await readdir(join(root, 'T', 'default', '1'))).length).toBe(2);
    expect(log.lines).toMatchObject([{ msg: 'half-written files dropped', files: 4 }]);
    await scanDisk(root, log.logger);
    expect(await readdir(join(root, 'T'))).toEqual(['default']);
  });

  test('moves what cannot be trusted to quarantine, whole', async () => {
    const kept = sampleRecord({ step: 1 });
    await write(kept);
    const short = await write(sampleRecord({ step: 1 }));
    await truncate(`${short}.npy`, 100);
    const garbled = await write(sampleRecord({ step: 1 }));
    await writeFile(`${garbled}.json`, '{"tidegate":1,');
    const bare = await write(sampleRecord({ step: 1 }));
    await rm(`${bare}.npy`);
    const moved = await write(sampleRecord({ step: 1 }));
    const wrongFolder = join(root, 'T', 'default', '7');
    await mkdir(wrongFolder);
    for (const suffix of ['.npy', '.json']) await copyFile(moved + suffix, join(wrongFolder, basename(moved) + suffix));
    expect((await found()).map(({ id }) => id)).toEqual([kept.id, basename(moved)]);
    const names = await readdir(join(root, '.quarantine'));
    expect(names).toHaveLength(2 + 2 + 1 + 2);
    expect(names.every((name) => name.startsWith('T.default.'))).toBe(true);
    expect(log.lines.map(({ msg }) => msg)).toEqual(Array(4).fill('unreadable partition moved to quarantine'));
    const quarantined = await readFile(join(root, '.quarantine', `T.default.1.${basename(short)}.npy`));
    expect(quarantined).toHaveLength(100);
    log.lines.length = 0;
    expect(await found()).toHaveLength(2);
    expect(log.lines).toEqual([]);
  });

  test('leaves alone what is not its own', async () => {
    const record = sampleRecord({});
    const path = await write(record);
    await writeFile(join(path, '..', 'notes.txt'), 'mine');
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, 'lock'), '1');
    await mkdir(join(root, 'T', 'default', 'plots'));
    expect(await found()).toEqual([record]);
    expect(log.lines).toMatchObject([{ msg: 'unknown files left alone', examples: ['T/default/0/notes.txt'] }]);
    expect((await readdir(root)).sort()).toEqual(['T', 'lock', 'lost+found']);
  });
});

test('removeIfEmpty removes only what is empty', async () => {
  await mkdir(join(root, 'a', 'b'), { recursive: true });
  expect(await removeIfEmpty(join(root, 'a'))).toBe(false);
  expect(await removeIfEmpty(join(root, 'a', 'b'))).toBe(true);
  expect(await removeIfEmpty(join(root, 'a', 'b'))).toBe(true);
});
