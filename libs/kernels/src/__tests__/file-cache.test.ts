import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FileCache } from '../file-cache.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-files-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: readonly number[]) {
  const path = join(folder, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return { path, offset: 1, bytes: bytes.length - 1 };
}

test('reads from the offset of a slice, and from bytes that are here', () => {
  const files = new FileCache({ now: () => 0 });
  const target = new Uint8Array(2);
  const slice = file('a', [9, 1, 2, 3, 4]);
  const box = { lower: [0], upper: [4] };
  files.source({ box, file: slice })(2, target);
  expect([...target]).toEqual([3, 4]);
  files.source({ box, bytes: Uint8Array.of(5, 6, 7, 8) })(1, target);
  expect([...target]).toEqual([6, 7]);
  files.prune(true);
});

test('keeps a bounded number of files open, and none that is idle', () => {
  let now = 0;
  const files = new FileCache({ limit: 3, idleMs: 100, now: () => now });
  const target = new Uint8Array(1);
  const slices = Array.from({ length: 5 }, (_, i) => file(`b${i}`, [0, i]));
  for (const slice of slices) files.read(slice, 0, target);
  expect(files.size).toBe(3);
  now = 60;
  files.read(slices[4] as (typeof slices)[0], 0, target);
  expect(target[0]).toBe(4);
  now = 100;
  files.prune();
  expect(files.size).toBe(1);
  files.prune(true);
  expect(files.size).toBe(0);
});

test('a file that is gone or too short is unavailable', () => {
  const files = new FileCache({ now: () => 0 });
  const target = new Uint8Array(4);
  expect(() => files.read({ path: join(folder, 'gone'), offset: 0, bytes: 4 }, 0, target)).toThrow(
    /cannot read .*gone/,
  );
  const short = file('short', [0, 1, 2]);
  expect(() => files.read(short, 0, target)).toThrow(/ends 2 bytes early/);
  files.prune(true);
});
