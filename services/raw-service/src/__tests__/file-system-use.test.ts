import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { fileSystemUse } from '../file-system-use.js';

test('fileSystemUse tells bytes and inodes', async () => {
  const { totalBytes, usedBytes, inodeShare } = await fileSystemUse(tmpdir());
  expect(totalBytes).toBeGreaterThan(0);
  expect(usedBytes).toBeLessThanOrEqual(totalBytes);
  expect(inodeShare).toBeGreaterThanOrEqual(0);
  expect(inodeShare).toBeLessThanOrEqual(1);
  await expect(fileSystemUse('/nowhere/at/all')).rejects.toThrow(/ENOENT/);
});
