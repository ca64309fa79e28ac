import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existingSegments, SegmentStore, segmentSizes } from '../segment-store.js';

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'segments-'));
  directory = join(root, 'deep', 'memory');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('segmentSizes', () => {
  test('adds up to the whole room', () => {
    expect(segmentSizes(100, 40)).toEqual([40, 40, 20]);
    expect(segmentSizes(80, 40)).toEqual([40, 40]);
    expect(segmentSizes(30, 40)).toEqual([30]);
  });
});

describe('SegmentStore', () => {
  test('makes private files of the full size', async () => {
    const store = await SegmentStore.open(directory, [3 << 20, 12345]);
    expect(await readdir(directory)).toEqual(['segment-0000', 'segment-0001']);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const first = await stat(join(directory, 'segment-0000'));
    expect(first.mode & 0o777).toBe(0o600);
    expect(first.size).toBe(3 << 20);
    expect(first.blocks * 512).toBeGreaterThanOrEqual(3 << 20);
    expect((await stat(join(directory, 'segment-0001'))).size).toBe(12345);
    store.remove();
    expect(await readdir(directory)).toEqual([]);
  });

  test('says where extents lie that are one range', async () => {
    const store = await SegmentStore.open(directory, [4096, 4096]);
    const extent = { segment: 1, offset: 64, length: 128 };
    expect(store.place([extent], 100)).toEqual({ path: join(directory, 'segment-0001'), offset: 64, bytes: 100 });
    expect(store.place([extent, extent], 200)).toBeUndefined();
    expect(store.place([], 0)).toBeUndefined();
    store.remove();
  });

  test('reads and writes across the borders of extents', async () => {
    const store = await SegmentStore.open(directory, [4096, 4096]);
    const extents = [
      { segment: 1, offset: 64, length: 128 },
      { segment: 0, offset: 4032, length: 64 },
      { segment: 1, offset: 1024, length: 64 },
    ];
    const bytes = Uint8Array.from({ length: 250 }, (_, i) => i + 1);
    store.write(extents, 0, bytes);
    for (const [offset, length] of [
      [0, 250],
      [100, 60],
      [128, 64],
      [190, 60],
      [249, 1],
      [10, 0],
    ] as const) {
      const target = new Uint8Array(length);
      store.read(extents, offset, target);
      expect(target).toEqual(bytes.subarray(offset, offset + length));
    }
    store.write(extents, 126, Uint8Array.of(201, 202, 203, 204));
    const target = new Uint8Array(6);
    store.read(extents, 125, target);
    expect([...target]).toEqual([126, 201, 202, 203, 204, 131]);
    expect(() => store.read(extents, 200, new Uint8Array(100))).toThrow(/expected 100 bytes at 200/);
    expect(() => store.write([{ segment: 7, offset: 0, length: 64 }], 0, target)).toThrow(/segment below 2/);
    store.close();
  });

  test('reuses a file of the right size, and resizes others without touching what they hold', async () => {
    const first = await SegmentStore.open(directory, [1024, 1024, 1024]);
    for (const segment of [0, 1, 2])
      first.write([{ segment, offset: 0, length: 1024 }], 0, new Uint8Array(1024).fill(7));
    first.close();
    await writeFile(join(directory, 'other'), 'stays');
    const second = await SegmentStore.open(directory, [1024, 2048]);
    expect(await existingSegments(directory)).toEqual(
      new Map([
        [0, 1024],
        [1, 2048],
      ]),
    );
    expect((await readFile(join(directory, 'segment-0000'))).every((byte) => byte === 7)).toBe(true);
    const grown = await readFile(join(directory, 'segment-0001'));
    expect([grown[1023], grown[1024], grown[2047]]).toEqual([7, 0, 0]);
    second.close();
    const third = await SegmentStore.open(directory, [512]);
    expect((await readFile(join(directory, 'segment-0000'))).length).toBe(512);
    expect(await readdir(directory)).toEqual(['other', 'segment-0000']);
    third.close();
  });

  test('says what it expected when the file system is full', async () => {
    await mkdir(directory, { recursive: true });
    await symlink('/dev/full', join(directory, 'segment-0001'));
    const opened = SegmentStore.open(directory, [4096, 4096]);
    await expect(opened).rejects.toThrow(/expected room for a memory tier of 8192 bytes in .*, got ENOSPC: lower/);
    expect(await readdir(directory)).toEqual(['segment-0001']);
  });

  test('no directory holds no segments', async () => {
    expect(await existingSegments(join(root, 'none'))).toEqual(new Map());
  });
});
