import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from '@tidegate/client';
import {
  type RunningProcess,
  startNatsServer,
  type TemporaryDirectory,
  temporaryDirectory,
  until,
} from '@tidegate/testing';
import { defaultMemoryDir } from '../launcher/folders.js';
import { processStart } from '../launcher/process-start.js';
import { jsonLines, readyUrl, startBinary, tidegate } from './tidegate-binary.js';

let folder: TemporaryDirectory;
let running: RunningProcess[];
beforeEach(async () => {
  folder = await temporaryDirectory();
  running = [];
});
afterEach(async () => {
  for (const each of running) each.kill('SIGKILL');
  await Promise.all(running.map((each) => each.waitExit()));
  await folder.remove();
});

const dataDir = (): string => join(folder.path, 'data');
const memoryDir = (): string => join(folder.path, 'memory');

async function up(...words: readonly string[]): Promise<RunningProcess> {
  const common = ['--data-dir', dataDir(), '--memory-dir', memoryDir(), '--memory', '16MiB', '--disk', '1GiB'];
  const started = await startBinary(['up', ...common, ...words]);
  running.push(started);
  return started;
}

async function stop(started: RunningProcess, signal: NodeJS.Signals = 'SIGTERM') {
  started.kill(signal);
  return started.waitExit();
}

async function natsServerPid(): Promise<number> {
  return Number(await readFile(join(dataDir(), 'nats', 'nats-server.pid'), 'utf8'));
}

async function putOne(url: string): Promise<void> {
  const client = await connect({ servers: url });
  await client.declare({ name: 'T', dtype: 'uint8', shape: [4] });
  await client.put({ variable: 'T', step: 3, data: Uint8Array.of(1, 2, 3, 4) });
  await client.close();
}

async function cellsAt(url: string): Promise<readonly number[]> {
  const client = await connect({ servers: url });
  const { bytes } = await client.get({ variable: 'T', step: 3 });
  await client.close();
  return [...bytes];
}

describe('tidegate up', () => {
  test('says what it starts, is ready, and leaves nothing behind on SIGTERM', async () => {
    const started = await up('--nats-port', '0', '--raw', '2');
    expect(started.lines).toEqual([`ready ${readyUrl(started)}`]);
    expect(started.errorOutput()).toContain(`JetStream in ${join(dataDir(), 'nats')}`);
    expect(started.errorOutput()).toContain(`2, each 16.0 MiB of memory in ${memoryDir()}`);
    expect((await readdir(dataDir())).sort()).toEqual(['nats', 'raw-1', 'raw-2', 'tidegate.lock']);
    const pid = await natsServerPid();
    expect(await stop(started)).toEqual({ code: 0, signal: null });
    expect(started.errorOutput()).not.toContain('"level"');
    expect(processStart(pid)).toBeUndefined();
    expect(existsSync(memoryDir())).toBe(false);
    expect((await readdir(dataDir())).sort()).toEqual(['nats', 'raw-1', 'raw-2']);
  });

  test('with --json prints one value, and by default keeps memory in shared memory', async () => {
    const started = await startBinary([
      'up',
      '--data-dir',
      dataDir(),
      '--nats-port',
      '0',
      '--memory',
      '16MiB',
      '--json',
    ]);
    running.push(started);
    const memory = defaultMemoryDir(dataDir());
    expect(JSON.parse(started.lines[0] ?? '')).toMatchObject({
      ready: readyUrl(started),
      port: Number(new URL(readyUrl(started)).port),
      dataDir: dataDir(),
      memoryDir: memory,
      memoryBytes: 16 << 20,
      shards: 16,
      rawServices: [expect.any(String)],
      metaServices: [expect.any(String)],
      triggerEngines: [expect.any(String)],
    });
    expect(existsSync(memory)).toBe(true);
    for (const line of started.errorOutput().split('\n').slice(0, -1)) expect(() => JSON.parse(line)).not.toThrow();
    expect(await stop(started, 'SIGINT')).toEqual({ code: 0, signal: null });
    expect(existsSync(memory)).toBe(false);
  });

  test('starts as many trigger-engines as it is told to, none included', async () => {
    const without = await up('--nats-port', '0', '--engine', '0', '--shards', '4', '--json');
    expect(JSON.parse(without.lines[0] ?? '')).toMatchObject({ triggerEngines: [] });
    expect(await stop(without)).toEqual({ code: 0, signal: null });
    const both = await up('--nats-port', '0', '--engine', '2', '--json');
    expect(JSON.parse(both.lines[0] ?? '').triggerEngines).toHaveLength(2);
    expect(jsonLines(await tidegate(['trigger', 'list', '--json', '--nats', readyUrl(both)]))).toEqual([]);
    expect(await stop(both)).toEqual({ code: 0, signal: null });
  });

  test('serves the raw-services of an earlier start as well', async () => {
    await stop(await up('--nats-port', '0', '--raw', '2'));
    const started = await up('--nats-port', '0', '--raw', '1', '--json');
    expect(JSON.parse(started.lines[0] ?? '').rawServices).toHaveLength(2);
    expect(await stop(started)).toEqual({ code: 0, signal: null });
  });

  test('refuses a data directory that another one uses', async () => {
    const started = await up('--nats-port', '0');
    const second = await tidegate(['up', '--data-dir', dataDir(), '--nats-port', '0']);
    expect(second).toMatchObject({ code: 1, out: '' });
    expect(second.err).toContain(`error: CONFLICT: ${dataDir()} is in use by process ${started.pid}`);
    await stop(started);
  });

  test('keeps what is staged over a stop, and over a kill', async () => {
    const first = await up('--nats-port', '0');
    await putOne(readyUrl(first));
    const { port } = new URL(readyUrl(first));
    await stop(first);
    const second = await up('--nats-port', port);
    expect(await cellsAt(readyUrl(second))).toEqual([1, 2, 3, 4]);
    await stop(second, 'SIGKILL');
    const third = await up('--nats-port', port);
    expect(readyUrl(third)).toBe(readyUrl(first));
    expect(await cellsAt(readyUrl(third))).toEqual([1, 2, 3, 4]);
    expect(await stop(third)).toEqual({ code: 0, signal: null });
  });

  test('starts its nats-server again', async () => {
    const started = await up('--nats-port', '0');
    await putOne(readyUrl(started));
    process.kill(await natsServerPid(), 'SIGKILL');
    await until(() => started.errorOutput().includes('nats-server is back on port'), { what: 'the server to be back' });
    expect(started.errorOutput()).toContain('nats-server ended (SIGKILL): starting it again');
    expect(await cellsAt(readyUrl(started))).toEqual([1, 2, 3, 4]);
    await stop(started);
  });

  test('ends at once at the second signal', async () => {
    const started = await up('--nats-port', '0');
    const pid = await natsServerPid();
    process.kill(pid, 'SIGSTOP');
    started.kill('SIGTERM');
    await until(() => started.errorOutput().includes('stopping'), { what: 'the first signal to be heard' });
    expect(await stop(started, 'SIGINT')).toEqual({ code: 130, signal: null });
    process.kill(pid, 'SIGCONT');
    await until(() => processStart(pid) === undefined, { what: 'its nats-server to end' });
  });

  test('says in one line what is wrong', async () => {
    const none = await tidegate(['up', '--data-dir', dataDir()], { env: { TIDEGATE_NATS_SERVER: '/nowhere' } });
    expect(none).toMatchObject({ code: 1, out: '' });
    expect(none.err).toContain(
      'error: UNAVAILABLE: expected TIDEGATE_NATS_SERVER to name an executable file, got /nowhere\n',
    );
    const wrong = await tidegate(['up', '--raw', '0', '--json']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(JSON.parse(wrong.err)).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('from 1 to 64, got "0"'),
    });
  });
});

describe('tidegate run', () => {
  test('runs services apart, against any NATS server', async () => {
    const server = await startNatsServer({ maxPayload: 1 << 20 });
    try {
      const common = ['--nats', server.url, '--json'];
      const [raw, meta, engine] = await Promise.all([
        startBinary([
          'run',
          'raw',
          ...common,
          '--id',
          'raw-a',
          '--data-dir',
          dataDir(),
          '--memory-dir',
          memoryDir(),
          '--memory',
          '16MiB',
        ]),
        startBinary(['run', 'meta', ...common, '--shards', '4']),
        startBinary(['run', 'engine', ...common, '--shards', '4', '--id', 'engine-a']),
      ]);
      running.push(raw, meta, engine);
      expect(JSON.parse(raw.lines[0] ?? '')).toEqual({ ready: server.url, service: 'raw', id: 'raw-a', pid: raw.pid });
      expect(JSON.parse(meta.lines[0] ?? '')).toMatchObject({ ready: server.url, service: 'meta', pid: meta.pid });
      expect(JSON.parse(engine.lines[0] ?? '')).toEqual({
        ready: server.url,
        service: 'engine',
        id: 'engine-a',
        pid: engine.pid,
      });
      await putOne(server.url);
      expect(await cellsAt(server.url)).toEqual([1, 2, 3, 4]);
      const [record] = jsonLines(await tidegate(['declare', 'T', ...common]));
      expect(record).toMatchObject({ name: 'T', shards: 4 });
      expect(jsonLines(await tidegate(['trigger', 'list', ...common]))).toEqual([]);
      expect(await Promise.all([stop(engine), stop(raw), stop(meta)])).toEqual([
        { code: 0, signal: null },
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
      expect(existsSync(join(dataDir(), 'tidegate.lock'))).toBe(false);
    } finally {
      await server.stop();
    }
  });
});
