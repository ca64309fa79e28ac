import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const CHILD = join(import.meta.dirname, 'store-child.js');

test('the memory of the process stays flat while gigabytes pass through the store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'store-soak-'));
  const args = ['--expose-gc', CHILD, root, 'soak', '16000', '1000'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const rss = stdout.split('\n').flatMap((line) => (line.startsWith('rss ') ? [Number(line.slice(4))] : []));
  expect(rss).toHaveLength(16);
  const [settled = 0] = rss.slice(3);
  expect(Math.max(...rss.slice(3)) - settled).toBeLessThan(24 << 20);
  await rm(root, { recursive: true });
}, 60_000);
