import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConflictError } from '@tidegate/protocol';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { lockDataDir } from '../data-lock.js';
import { processStart } from '../process-start.js';

let folder: TemporaryDirectory;
beforeEach(async () => {
  folder = await temporaryDirectory();
});
afterEach(() => folder.remove());
const lockFile = (): string => join(folder.path, 'tidegate.lock');

describe('lockDataDir', () => {
  test('makes the folder, refuses a second user, and leaves nothing behind', () => {
    const path = join(folder.path, 'new', 'data');
    const lock = lockDataDir(path);
    expect(() => lockDataDir(path)).toThrow(ConflictError);
    expect(() => lockDataDir(path)).toThrow(`is in use by process ${process.pid}`);
    lock.release();
    expect(readdirSync(path)).toEqual([]);
    lockDataDir(path).release();
  });

  test('refuses what another live process holds, and takes over when that is gone', async () => {
    const child = spawn('sleep', ['60']);
    try {
      await once(child, 'spawn');
      const pid = child.pid ?? 0;
      writeFileSync(lockFile(), JSON.stringify({ pid, start: processStart(pid) }));
      expect(() => lockDataDir(folder.path)).toThrow(`in use by process ${pid}`);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    lockDataDir(folder.path).release();
    expect(existsSync(lockFile())).toBe(false);
  });

  test('takes over from a process whose pid another one has by now', () => {
    writeFileSync(lockFile(), JSON.stringify({ pid: process.pid, start: '1' }));
    lockDataDir(folder.path).release();
  });

  test('takes over a lock that was never written', () => {
    writeFileSync(lockFile(), '');
    lockDataDir(folder.path).release();
  });

  test('does not remove the lock of another one on release', () => {
    const lock = lockDataDir(folder.path);
    writeFileSync(lockFile(), JSON.stringify({ pid: 1, start: processStart(1) }));
    lock.release();
    expect(existsSync(lockFile())).toBe(true);
  });
});
