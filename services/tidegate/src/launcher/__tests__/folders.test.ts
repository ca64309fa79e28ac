import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { defaultMemoryDir, rawFolder, rawNumbers, removeEmptyFolders } from '../folders.js';

let folder: TemporaryDirectory;
beforeEach(async () => {
  folder = await temporaryDirectory();
});
afterEach(() => folder.remove());

test('the memory directory follows from the data directory', () => {
  const dir = defaultMemoryDir('/var/data', folder.path);
  expect(dir).toMatch(/\/tidegate-[0-9a-f]{12}$/);
  expect(defaultMemoryDir('/var/../var/data/', folder.path)).toBe(dir);
  expect(defaultMemoryDir('/var/other', folder.path)).not.toBe(dir);
  expect(defaultMemoryDir('/var/data', join(folder.path, 'none'))).toBe('/var/data/memory');
});

test('finds the folders of raw-services', () => {
  for (const name of ['raw-2', 'raw-10', 'raw-1', 'raw-0', 'raw-x', 'nats']) mkdirSync(join(folder.path, name));
  expect(rawNumbers(folder.path)).toEqual([1, 2, 10]);
  expect(rawFolder(folder.path, 2)).toBe(join(folder.path, 'raw-2'));
});

test('removes empty folders alone', () => {
  const [inner, outer, full] = [join(folder.path, 'a', 'b'), join(folder.path, 'a'), join(folder.path, 'full')];
  mkdirSync(inner, { recursive: true });
  mkdirSync(full);
  writeFileSync(join(full, 'file'), '');
  removeEmptyFolders([inner, outer, full, join(folder.path, 'none')]);
  expect(existsSync(outer)).toBe(false);
  expect(existsSync(join(full, 'file'))).toBe(true);
});
