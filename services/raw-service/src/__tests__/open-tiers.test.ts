import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTiers } from '../open-tiers.js';
import { recordingLogger, sampleRecord } from './partition-samples.js';

let root: string;
const log = recordingLogger();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tiers-'));
  log.lines.length = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (sizes: { memoryBytes?: number; diskBytes?: number } = {}) =>
  openTiers({
    memoryDir: join(root, 'memory'),
    dataDir: join(root, 'data'),
    memoryBytes: 1 << 20,
    diskBytes: 1 << 20,
    logger: log.logger,
    onFreed: () => undefined,
    ...sizes,
  });

describe('openTiers', () => {
  test('keeps both folders to itself until it is closed, and leaves nothing of an empty memory tier', async () => {
    const tiers = await open();
    await expect(open()).rejects.toThrow(/memory to be free, but process/);
    expect((await stat(join(root, 'memory'))).mode & 0o777).toBe(0o700);
    await tiers.close();
    expect(existsSync(join(root, 'memory'))).toBe(false);
    expect(await readdir(join(root, 'data'))).toEqual([]);
    await (await open()).close();
  });

  test('keeps the memory folder while it holds a partition, or something else', async () => {
    const tiers = await open();
    const record = sampleRecord({});
    const reservation = tiers.memory.reserve(record.bytes);
    if (reservation === undefined) throw new Error('no room');
    tiers.memory.commit(reservation, record);
    await tiers.close();
    expect((await readdir(join(root, 'memory'))).sort()).toEqual(['journal', 'segment-0000']);
    const again = await open();
    again.memory.free([record.id]);
    await writeFile(join(root, 'memory', 'notes'), 'mine');
    await again.close();
    expect(await readdir(join(root, 'memory'))).toEqual(['notes']);
  });

  test('refuses sizes that are none', async () => {
    for (const bytes of [0, -1, 1.5, Number.NaN]) {
      await expect(open({ memoryBytes: bytes })).rejects.toThrow(/expected memoryBytes to be a positive number/);
      await expect(open({ diskBytes: bytes })).rejects.toThrow(/expected diskBytes to be a positive number/);
    }
  });

  test('gives the locks back when it fails', async () => {
    await (await open()).close();
    await writeFile(join(root, 'memory'), 'a file where a folder has to be');
    await expect(open()).rejects.toThrow(/EEXIST|ENOTDIR/);
    await rm(join(root, 'memory'));
    await (await open()).close();
  });

  test('says how much of a torn journal it cut', async () => {
    const first = await open();
    first.memory.reserve(1);
    await first.close();
    const path = join(root, 'memory', 'journal');
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('torn')]));
    await (await open()).close();
    expect(log.lines).toMatchObject([{ level: 40, cutBytes: expect.any(Number) }]);
  });
});
