import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lockDirectory } from '../directory-lock.js';
import { processStart } from '../process-identity.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('lockDirectory', () => {
  test('makes the directory, keeps it to one, and gives it back', async () => {
    const directory = join(root, 'a', 'b');
    const lock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow(new RegExp(`process ${process.pid} has it open`));
    lock.release();
    lockDirectory(directory).release();
    expect(await readdir(directory)).toEqual([]);
  });

  test('keeps out while another process lives, and takes over when it is dead', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const { pid } = child;
    if (pid === undefined) throw new Error('no pid');
    await writeFile(join(root, 'lock'), `${pid} ${processStart(pid)}`);
    expect(() => lockDirectory(root)).toThrow(`process ${pid} has it open`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockDirectory(root).release();
  });

  test('takes over from another process that had the same pid', async () => {
    await writeFile(join(root, 'lock'), `${process.pid} 1`);
    lockDirectory(root).release();
    await writeFile(join(root, 'lock'), 'nonsense');
    lockDirectory(root).release();
  });
});
