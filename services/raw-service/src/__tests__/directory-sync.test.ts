import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DirectorySync } from '../directory-sync.js';

describe('DirectorySync', () => {
  test('those who come during a sync share the next one', async () => {
    const root = await mkdtemp(join(tmpdir(), 'sync-'));
    const directories = new DirectorySync();
    const first = directories.sync(root);
    const second = directories.sync(root);
    expect(second).not.toBe(first);
    expect(directories.sync(root)).toBe(second);
    await Promise.all([first, second]);
    const third = directories.sync(root);
    expect(third).not.toBe(second);
    await third;
    await rm(root, { recursive: true });
    await expect(directories.sync(root)).rejects.toThrow(/ENOENT/);
    await expect(directories.sync(root)).rejects.toThrow(/ENOENT/);
  });
});
