import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeNpy, NpyFormatError } from '@tidegate/array';
import { BadRequestError, type VariableRecord } from '@tidegate/protocol';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { cellsOf, readInput } from '../npy-file.js';

const VARIABLE: VariableRecord = {
  name: 'T',
  dtype: 'float32',
  shape: [4, 6],
  window: 10,
  onEvict: 'spill',
  durability: 'memory',
  annotation: 'optional',
  createdAt: '2026-01-01T00:00:00Z',
  shards: 16,
};

describe('cellsOf', () => {
  const cells = new Uint8Array(6 * 4).map((_, at) => at);

  test('takes the data of a .npy that fits the box', () => {
    expect(cellsOf(encodeNpy(cells, 'float32', [2, 3]), VARIABLE, '1:3,0:3')).toEqual(cells);
  });

  test('says what was expected and what came', () => {
    const other = encodeNpy(cells, 'int32', [2, 3]);
    expect(() => cellsOf(other, VARIABLE, '1:3,0:3')).toThrow(
      'expected float32 as variable "T" has, got a .npy of int32',
    );
    const file = encodeNpy(cells, 'float32', [2, 3]);
    expect(() => cellsOf(file, VARIABLE, '0:3,0:2')).toThrow(
      'expected shape (3, 2) for box 0:3,0:2, got a .npy of shape (2, 3)',
    );
    expect(() => cellsOf(file, VARIABLE, undefined)).toThrow(/expected shape \(4, 6\)/);
    expect(() => cellsOf(encodeNpy(cells, 'float32', [6]), VARIABLE, '0:2,0:3')).toThrow(BadRequestError);
    expect(() => cellsOf(cells, VARIABLE, undefined)).toThrow(NpyFormatError);
  });

  test('takes a file as it is for an opaque variable', () => {
    expect(cellsOf(cells, { ...VARIABLE, dtype: 'bytes' }, '0:1,0:1')).toBe(cells);
  });
});

describe('readInput', () => {
  let folder: TemporaryDirectory;
  beforeAll(async () => {
    folder = await temporaryDirectory();
  });
  afterAll(() => folder.remove());

  test('reads files whole', async () => {
    const bytes = new Uint8Array(300_000).map((_, at) => at % 251);
    await writeFile(join(folder.path, 'a'), bytes);
    expect(Buffer.compare(await readInput(join(folder.path, 'a')), bytes)).toBe(0);
    await writeFile(join(folder.path, 'empty'), '');
    expect((await readInput(join(folder.path, 'empty'))).length).toBe(0);
  });

  test('reads what tells no size', async () => {
    expect((await readInput('/dev/null')).length).toBe(0);
  });

  test('fails for what is not there', async () => {
    await expect(readInput(join(folder.path, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
