import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FileCache } from '../file-cache.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'files-'));
  for (let i = 0; i < 10; i++) await writeFile(path(i), `content ${i}`);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const path = (i: number) => join(root, String(i));
const content = (file: FileHandle) => file.read(new Uint8Array(20), 0, 20, 0).then(({ bytesRead }) => bytesRead);

describe('FileCache', () => {
  test('keeps the most recently used files open and closes the others', async () => {
    const cache = new FileCache(3, () => undefined);
    const handles: FileHandle[] = [];
    for (let i = 0; i < 10; i++) await cache.use(path(i), async (file) => void handles.push(file));
    expect(cache.size).toBe(3);
    await cache.use(path(7), async (file) => expect(file).toBe(handles[7]));
    await cache.use(path(1), async () => undefined);
    await cache.use(path(7), async (file) => expect(file).toBe(handles[7]));
    await cache.use(path(8), async (file) => expect(file).not.toBe(handles[8]));
    cache.clear();
    expect(cache.size).toBe(0);
    // Linux: what the process has open. Closing goes through the thread pool, so it may take some turns.
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (handles.every(({ fd }) => fd === -1)) break;
    }
    expect((await readdir('/proc/self/fd')).length).toBeGreaterThan(0);
  });

  test('never closes a file under its reader', async () => {
    const cache = new FileCache(1, () => undefined);
    const read = cache.use(path(0), async (file) => {
      cache.drop(path(0));
      for (let i = 1; i < 10; i++) await cache.use(path(i), content);
      expect(await content(file)).toBe(9);
      return file;
    });
    const handle = await read;
    while (handle.fd !== -1) await new Promise((resolve) => setImmediate(resolve));
    expect(cache.size).toBe(1);
    cache.clear();
  });

  test('many readers at once share one file', async () => {
    const cache = new FileCache(2, () => undefined);
    const fds = await Promise.all(Array.from({ length: 20 }, () => cache.use(path(3), async ({ fd }) => fd)));
    expect(new Set(fds).size).toBe(1);
    cache.clear();
  });

  test('a file that cannot be opened is tried again next time', async () => {
    const cache = new FileCache(2, () => undefined);
    const missing = join(root, 'late');
    await expect(cache.use(missing, content)).rejects.toThrow(/ENOENT/);
    await writeFile(missing, 'here');
    expect(await cache.use(missing, content)).toBe(4);
    cache.clear();
  });
});
