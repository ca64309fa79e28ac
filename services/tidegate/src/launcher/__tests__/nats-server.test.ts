import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connectBus, silentLogger } from '@tidegate/bus';
import { ConflictError, UnavailableError } from '@tidegate/protocol';
import { natsServerBinary, type TemporaryDirectory, temporaryDirectory, until } from '@tidegate/testing';
import { LocalNats, type LocalNatsOptions } from '../nats-server.js';
import { processStart } from '../process-start.js';

let folder: TemporaryDirectory;
let notices: string[];
let servers: LocalNats[];
beforeEach(async () => {
  folder = await temporaryDirectory();
  notices = [];
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await folder.remove();
});

async function start(options: Partial<LocalNatsOptions> = {}): Promise<LocalNats> {
  const server = await LocalNats.start({
    binary: natsServerBinary(),
    folder: join(folder.path, 'nats'),
    port: 0,
    maxFileStoreBytes: 1 << 30,
    logger: silentLogger,
    onNotice: (line) => notices.push(line),
    ...options,
  });
  servers.push(server);
  return server;
}

const ended = (pid: number) => until(() => processStart(pid) === undefined, { what: `process ${pid} to end` });

describe('LocalNats', () => {
  test('serves on a free port with the configured limits, and ends when told', async () => {
    const server = await start();
    const bus = await connectBus({ servers: server.url, name: 'test' });
    expect(bus.maxPayload).toBe(8 << 20);
    await bus.close();
    const { pid } = server;
    await server.stop();
    expect(processStart(pid)).toBeUndefined();
    expect(notices).toEqual([]);
  });

  test('is started again on its port when it ends on its own', async () => {
    const server = await start();
    const { pid, port } = server;
    process.kill(pid, 'SIGKILL');
    await until(() => notices.length === 2, { what: 'the server to be back' });
    expect(notices).toEqual(['nats-server ended (SIGKILL): starting it again', `nats-server is back on port ${port}`]);
    expect(server.pid).not.toBe(pid);
    const bus = await connectBus({ servers: server.url, name: 'test' });
    await bus.close();
  });

  test('says what is wrong where it cannot start', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    await expect(start({ port })).rejects.toThrow(ConflictError);
    await expect(start({ port })).rejects.toThrow(`port ${port} is taken`);
    await new Promise((resolve) => taken.close(resolve));
    await expect(start({ binary: '/bin/false' })).rejects.toThrow(/\/bin\/false ended at its start \(exit code 1\)/);
    await expect(start({ binary: join(folder.path, 'none') })).rejects.toThrow(UnavailableError);
  });

  test('ends the server that an earlier start left on the same store', async () => {
    const server = await start();
    await server.stop();
    const config = join(folder.path, 'nats', 'nats.conf');
    const leftover = spawn(natsServerBinary(), ['-c', config], { stdio: 'ignore' });
    const pid = leftover.pid ?? 0;
    await until(() => readFileSync(join(folder.path, 'nats', 'nats-server.pid'), 'utf8') === String(pid), {
      what: 'its pid',
    });
    const next = await start();
    expect(processStart(pid)).toBeUndefined();
    expect(processStart(next.pid)).toBeDefined();
  });

  test('ends when the process that started it is killed', async () => {
    const script = `
      const { LocalNats } = await import(${JSON.stringify(new URL('../nats-server.js', import.meta.url).href)});
      const ignore = () => {};
      const server = await LocalNats.start({
        binary: ${JSON.stringify(natsServerBinary())}, folder: ${JSON.stringify(join(folder.path, 'nats'))}, port: 0,
        maxFileStoreBytes: 1 << 30, logger: { debug: ignore, info: ignore, warn: ignore, error: ignore }, onNotice: ignore,
      });
      process.stdout.write(String(server.pid));
      setInterval(ignore, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (chunk) => resolve(Number(chunk))));
    expect(processStart(pid)).toBeDefined();
    parent.kill('SIGKILL');
    await ended(pid);
  });
});
