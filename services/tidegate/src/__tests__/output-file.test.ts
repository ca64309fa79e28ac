import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeNpy } from '@tidegate/array';
import { makeBox } from '@tidegate/geometry';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { writeArray, writeObjects } from '../output-file.js';
import { UsageError } from '../usage-error.js';

let folder: TemporaryDirectory;
beforeEach(async () => {
  folder = await temporaryDirectory();
});
afterEach(() => folder.remove());

test('writeArray writes a .npy', async () => {
  const file = join(folder.path, 'a.npy');
  await writeArray(file, { dtype: 'uint16', shape: [2, 1], bytes: Uint8Array.of(1, 0, 2, 0) });
  const read = decodeNpy(await readFile(file));
  expect({ ...read, bytes: [...read.bytes] }).toEqual({ dtype: 'uint16', shape: [2, 1], bytes: [1, 0, 2, 0] });
});

describe('writeObjects', () => {
  const objects = [
    { id: 'A', box: makeBox([0, 0], [4, 8]), bytes: Uint8Array.of(1) },
    { id: 'B', box: makeBox([4, 0], [8, 8]), bytes: Uint8Array.of(2, 3) },
  ];

  test('writes several into a folder, named by their boxes', async () => {
    expect(await writeObjects(folder.path, objects)).toEqual([
      join(folder.path, '0-4_0-8.bin'),
      join(folder.path, '4-8_0-8.bin'),
    ]);
    expect(await readdir(folder.path)).toEqual(['0-4_0-8.bin', '4-8_0-8.bin']);
    expect([...(await readFile(join(folder.path, '4-8_0-8.bin')))]).toEqual([2, 3]);
  });

  test('writes one to a file', async () => {
    const file = join(folder.path, 'one');
    expect(await writeObjects(file, objects.slice(0, 1))).toEqual([file]);
    expect([...(await readFile(file))]).toEqual([1]);
  });

  test('wants a folder for several', async () => {
    await expect(writeObjects(join(folder.path, 'one'), objects)).rejects.toThrow(UsageError);
    expect(await readdir(folder.path)).toEqual([]);
  });
});
