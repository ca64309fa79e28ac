import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { natsServerBinary, type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { natsConfig } from '../nats-config.js';

let folder: TemporaryDirectory;
beforeAll(async () => {
  folder = await temporaryDirectory();
});
afterAll(() => folder.remove());

test('nats-server takes it, with an odd path as well', async () => {
  const odd = join(folder.path, `it's a "folder", of mine`);
  const config = natsConfig({ port: 4222, storeDir: odd, pidFile: join(odd, 'pid'), maxFileStoreBytes: 1 << 30 });
  expect(config).toContain('listen: "127.0.0.1:4222"');
  const file = join(folder.path, 'nats.conf');
  await writeFile(file, config);
  const { stdout, stderr } = await promisify(execFile)(natsServerBinary(), ['-t', '-c', file]);
  expect(`${stdout}${stderr}`).toContain('is valid');
});
