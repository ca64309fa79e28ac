import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Bus, connectBus, ensureStreams, publishEvent, streamUse } from '@tidegate/bus';
import { STREAMS, taskSubject } from '@tidegate/protocol';
import {
  type NatsServer,
  type RunningProcess,
  startNatsServer,
  type TemporaryDirectory,
  temporaryDirectory,
  until,
} from '@tidegate/testing';
import { processStart } from '../launcher/process-start.js';
import { spawnCommand, tidegate } from './tidegate-binary.js';

let server: NatsServer;
let bus: Bus;
let folder: TemporaryDirectory;
beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'worker-test' });
  await ensureStreams(bus);
});
afterAll(async () => {
  await bus.close();
  await server.stop();
});
beforeEach(async () => {
  folder = await temporaryDirectory();
});
const workers: RunningProcess[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.kill('SIGKILL');
    await worker.waitExit();
  }
  await folder.remove();
});

async function ask(name: string, n: number): Promise<void> {
  await publishEvent(bus, taskSubject(name), {
    ...{ run: 'r', epoch: 0, step: n, trigger: 'hot', generation: 1, variable: 'T', box: '0:4', values: {} },
    ...{ indicator: true, data: {}, decision: `hot/1/r/0/${n}`, args: { n }, attempt: 1 },
    idempotencyKey: `hot/1/r/0/${n}#0`,
  });
}

const file = (name: string): string => join(folder.path, name);
const lines = async (name: string): Promise<readonly string[]> =>
  (await readFile(file(name), 'utf8').catch(() => '')).split('\n').slice(0, -1);
const left = async (): Promise<number> => (await streamUse(bus, STREAMS.tasks.name)).messages;

/** Starts a worker with a shell script and returns once it printed a line. */
async function worker(task: string, options: readonly string[], script: string, ready: RegExp) {
  const words = ['worker', '--task', task, '--nats', server.url, ...options, '--', 'sh', '-c', script, folder.path];
  const started = await spawnCommand(words, ready);
  workers.push(started);
  return started;
}

async function stop(started: RunningProcess) {
  started.kill('SIGTERM');
  return started.waitExit();
}

describe('a worker', () => {
  test('runs a command with the task on its input and in its environment, and acknowledges what ended well', async () => {
    await ask('plain', 7);
    const script =
      'read task; echo "$task"; echo "$TIDEGATE_TASK_NAME $TIDEGATE_TASK_ATTEMPT $TIDEGATE_TASK_KEY"; echo end';
    const started = await worker('plain', [], script, /^end$/);
    await until(async () => (await left()) === 0);
    expect(await stop(started)).toEqual({ code: 0, signal: null });
    expect(JSON.parse(started.lines[0] ?? '')).toMatchObject({ step: 7, args: { n: 7 }, attempt: 1 });
    expect(started.lines.slice(1)).toEqual(['plain 1 hot/1/r/0/7#0', 'end']);
    expect(started.errorOutput()).toMatch(
      /^taking tasks "plain", 1 at a time\ndone: hot\/1\/r\/0\/7#0, attempt 1, \d+ ms\n/,
    );
  });

  test('lets a task come again whose command failed, with --json telling each outcome', async () => {
    await ask('fails', 1);
    const script = 'echo told; [ "$TIDEGATE_TASK_ATTEMPT" = 2 ] || exit 3';
    const started = await worker('fails', ['--json'], script, /"done":true/);
    await stop(started);
    expect(started.lines.map((line) => JSON.parse(line))).toEqual([
      { ...outcome(1), done: false, error: 'sh ended with exit code 3' },
      { ...outcome(2), done: true },
    ]);
    expect(started.errorOutput()).toContain('told\n');
    expect(await left()).toBe(0);
  });

  function outcome(attempt: number) {
    return { key: 'hot/1/r/0/1#0', attempt, run: 'r', step: 1, elapsedMs: expect.any(Number) };
  }

  test('runs several at a time', async () => {
    for (let n = 0; n < 3; n++) await ask('several', n);
    // Each waits for the others to have begun.
    const script =
      'touch "$0/$TIDEGATE_TASK_STEP"; until [ -e "$0/0" -a -e "$0/1" -a -e "$0/2" ]; do sleep 0.02; done; echo met';
    const started = await worker('several', ['--concurrency', '3'], script, /^met$/);
    await until(async () => (await left()) === 0);
    await stop(started);
    expect(started.lines).toEqual(['met', 'met', 'met']);
  });

  test('ends a command that takes too long with all that it started, and lets the task come again', async () => {
    await ask('slow', 1);
    const script =
      '[ "$TIDEGATE_TASK_ATTEMPT" = 2 ] && exit; trap "" TERM; sleep 600 & echo "$! $$" >> "$0/pids"; wait; sleep 600';
    const started = await worker('slow', ['--timeout', '300', '--json'], script, /"done":true/);
    const pids = (await lines('pids')).flatMap((line) => line.split(' ').map(Number));
    expect(pids).toHaveLength(2);
    await until(() => pids.every((pid) => processStart(pid) === undefined), { what: 'the whole group to be gone' });
    await stop(started);
    expect(started.lines.map((line) => JSON.parse(line).error)).toEqual([
      'the task was not done within 300 ms',
      undefined,
    ]);
  });

  test('lets what is under way end when it is told to stop, and takes no more', async () => {
    await ask('ending', 1);
    await ask('ending', 2);
    const script = 'echo begun; until [ -e "$0/go" ]; do sleep 0.02; done; echo "ended $TIDEGATE_TASK_STEP"';
    const started = await worker('ending', [], script, /^begun$/);
    started.kill('SIGTERM');
    await until(() => started.errorOutput().includes('stopping'));
    await writeFile(file('go'), '');
    expect(await started.waitExit()).toEqual({ code: 0, signal: null });
    expect(started.lines).toEqual(['begun', 'ended 1']);
    expect(await left()).toBe(1);
    const next = await worker('ending', [], script, /^ended 2$/);
    await stop(next);
  });

  test('ends what has not ended in its grace time, and its task comes to another worker at once', async () => {
    await ask('grace', 1);
    const script = 'echo "attempt $TIDEGATE_TASK_ATTEMPT $$"; exec sleep 600';
    const started = await worker('grace', ['--grace', '100'], script, /^attempt 1 (\d+)$/);
    expect(await stop(started)).toEqual({ code: 0, signal: null });
    expect(processStart(Number(started.ready[1]))).toBeUndefined();
    const other = await worker('grace', ['--grace', '0'], script, /^attempt 2 \d+$/);
    expect(await stop(other)).toEqual({ code: 0, signal: null });
  });

  test('leaves nothing behind where it is killed, whatever its commands make of signals', async () => {
    await ask('killed', 1);
    const script = 'trap "" TERM; sleep 600 & echo "running $! $$"; wait; sleep 600';
    const started = await worker('killed', [], script, /^running (\d+) (\d+)$/);
    started.kill('SIGKILL');
    const pids = started.ready.slice(1).map(Number);
    await until(() => pids.every((pid) => processStart(pid) === undefined), { what: 'the command to be gone' });
    expect(pids).toHaveLength(2);
  });

  test('ends with an error where its command cannot be started, or there is no cluster', async () => {
    await ask('nothing', 1);
    const none = await tidegate(['worker', '--task', 'nothing', '--nats', server.url, '--', '/no/such/command']);
    expect(none.code).toBe(1);
    expect(none.err).toMatch(/\nerror: NOT_FOUND: cannot start \/no\/such\/command: .*ENOENT\n$/);
    const wrong = await tidegate(['worker', '--task', 'nothing', '--nats', server.url]);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    const empty = await startNatsServer();
    const early = await tidegate(['worker', '--task', 'nothing', '--nats', empty.url, '--', 'true']);
    await empty.stop();
    expect(early.err).toMatch(/\nerror: UNAVAILABLE: there is no stream TIDE_TASKS yet: start a trigger-engine\n$/);
  });
});
