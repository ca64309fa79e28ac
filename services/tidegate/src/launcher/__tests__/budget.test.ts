import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { defaultDiskBytes, defaultMemoryBytes, jetStreamBytes, roomOf } from '../budget.js';

const MIB = 1 << 20;
const GIB = 1 << 30;
const room = (freeBytes: number, usedBytes = 0) => ({ freeBytes, usedBytes });

describe('default budgets', () => {
  test('memory is 1 GiB, or a share of half of what is free', () => {
    expect(defaultMemoryBytes(room(24 * GIB), 1)).toBe(GIB);
    expect(defaultMemoryBytes(room(64 * MIB), 1)).toBe(32 * MIB);
    expect(defaultMemoryBytes(room(GIB), 4)).toBe(128 * MIB);
    expect(defaultMemoryBytes(room(0), 1)).toBe(MIB);
  });

  test('memory is the same at the next start, when it is in use', () => {
    expect(defaultMemoryBytes(room(32 * MIB, 32 * MIB), 1)).toBe(defaultMemoryBytes(room(64 * MIB), 1));
  });

  test('disk is 64 GiB, or what is free beside the others', () => {
    expect(defaultDiskBytes(room(100 * GIB), 1, 8 * GIB)).toBe(64 * GIB);
    expect(defaultDiskBytes(room(40 * GIB, 10 * GIB), 2, 6 * GIB)).toBe(22 * GIB);
    expect(defaultDiskBytes(room(GIB), 1, 2 * GIB)).toBe(MIB);
  });

  test('JetStream has from 2 to 8 GiB', () => {
    expect(jetStreamBytes(room(10 * GIB))).toBe(2 * GIB);
    expect(jetStreamBytes(room(32 * GIB))).toBe(4 * GIB);
    expect(jetStreamBytes(room(500 * GIB))).toBe(8 * GIB);
  });
});

describe('roomOf', () => {
  let folder: TemporaryDirectory;
  beforeAll(async () => {
    folder = await temporaryDirectory();
    await mkdir(join(folder.path, 'a', 'b'), { recursive: true });
    await writeFile(join(folder.path, 'one'), new Uint8Array(1000));
    await writeFile(join(folder.path, 'a', 'b', 'two'), new Uint8Array(234));
  });
  afterAll(() => folder.remove());

  test('counts what a folder uses only where little is free', async () => {
    expect((await roomOf(folder.path, Number.MAX_SAFE_INTEGER)).usedBytes).toBe(1234);
    const enough = await roomOf(folder.path, 1);
    expect(enough.usedBytes).toBe(0);
    expect(enough.freeBytes).toBeGreaterThan(1);
  });

  test('takes a folder that is not there yet', async () => {
    const { freeBytes, usedBytes } = await roomOf(join(folder.path, 'x', 'y', 'z'), Number.MAX_SAFE_INTEGER);
    expect(freeBytes).toBeGreaterThan(0);
    expect(usedBytes).toBe(0);
  });
});
