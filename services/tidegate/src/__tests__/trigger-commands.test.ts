import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeNpy } from '@tidegate/array';
import { type TemporaryDirectory, temporaryDirectory, until } from '@tidegate/testing';
import { type RunningTidegate, startTidegate } from '../launcher/up.js';
import { jsonLines, spawnCommand, tidegate } from './tidegate-binary.js';

let folder: TemporaryDirectory;
let running: RunningTidegate;
beforeAll(async () => {
  folder = await temporaryDirectory();
  running = await startTidegate({
    natsPort: 0,
    dataDir: join(folder.path, 'data'),
    memoryDir: join(folder.path, 'memory'),
    memoryBytes: 32 << 20,
    diskBytes: 1 << 30,
    shards: 4,
  });
  await json('declare', 'T', '--dtype', 'float64', '--shape', '8');
  await writeFile(file('hot.yaml'), HOT);
});
afterAll(async () => {
  await running?.stop();
  await folder.remove();
});

const HOT = `name: hot
on: {variable: T}
check:
  mx: {reduce: max}
compare: {condition: mx > 10.0, edge: rising}
action:
  - emit: {data: {severity: warn}}
`;

const file = (name: string): string => join(folder.path, name);
const run = (...words: readonly string[]) => tidegate(words, { env: { TIDEGATE_NATS: running.url } });

async function json(...words: readonly string[]): Promise<readonly unknown[]> {
  const finished = await run(...words, '--json');
  expect(finished).toMatchObject({ code: 0, err: '' });
  return jsonLines(finished);
}

async function put(step: number, value: number): Promise<void> {
  const cells = Float64Array.from({ length: 8 }, () => value);
  await writeFile(file('t.npy'), encodeNpy(new Uint8Array(cells.buffer), 'float64', [8]));
  await json('put', 'T', file('t.npy'), '--step', String(step));
}

async function decided(count: number): Promise<readonly unknown[]> {
  return until(
    async () => {
      const decisions = await json('trigger', 'decisions', 'hot');
      return decisions.length === count && decisions;
    },
    { what: `${count} decisions` },
  );
}

describe('a trigger', () => {
  test('is registered once from a file, listed, and shown so that it can be registered again', async () => {
    const registered = { name: 'hot', generation: 1, primary: 0, shards: [0, 1, 2, 3] };
    expect(await json('trigger', 'register', file('hot.yaml'))).toEqual([registered]);
    const shown = await run('trigger', 'get', 'hot');
    expect(shown.out).toMatch(/^# hot, generation 1, enabled, registered .*\n# shard 0 decides, 4 shards touched/);
    const again = await tidegate(['trigger', 'register', '-', '--nats', running.url], {
      input: new TextEncoder().encode(shown.out),
    });
    expect(again.out).toBe('registered trigger hot, generation 1: shard 0 decides, 4 shards touched\n');
    expect(await json('trigger', 'list', '--variable', 'T')).toMatchObject([{ ...registered, enabled: true }]);
    expect((await run('trigger', 'list')).out).toMatch(/^NAME +GENERATION .*\nhot +1 +T +0:8 +\* +yes /);
    expect((await run('trigger', 'list', '--variable', 'U')).err).toBe('no trigger is registered\n');
  });

  test('decides, and tells what and why', async () => {
    await put(0, 1);
    await put(1, 11);
    await put(2, 12);
    expect(await decided(3)).toMatchObject([
      { step: 0, verdict: 'quiet', state: 'inactive', values: { mx: 1 } },
      { step: 1, verdict: 'fired', state: 'firing', values: { mx: 11 } },
      { step: 2, verdict: 'quiet', state: 'firing', values: { mx: 12 } },
    ]);
    const some = await run('trigger', 'decisions', 'hot', '--from', '1', '--limit', '1');
    expect(some.out).toMatch(/^RUN +EPOCH +STEP .*\ndefault +0 +1 +fired +firing +no +mx 11 +the condition holds\n$/);
    expect(some.err).toMatch(/and more/);
    const why = await run('trigger', 'explain', 'hot', '--step', '1');
    expect(why.out).toMatch(/^hot, run default, step 1: fired, because the condition holds\n/);
    expect(why.out).toMatch(/\nmx > 10\.0 +true\nmx +11\n/);
    expect(await json('trigger', 'explain', 'hot', '--step', '2')).toMatchObject([
      { decision: { verdict: 'quiet' }, before: { phase: 'firing' }, after: { phase: 'firing' } },
    ]);
    const following = await spawnCommand(
      ['trigger', 'decisions', 'hot', '--follow', '--from', '2', '--nats', running.url],
      /^generation 1 {2}run default {2}step 3 {2}quiet \(inactive\)/,
      () => put(3, 2),
    );
    following.kill('SIGINT');
    expect(await following.waitExit()).toEqual({ code: 0, signal: null });
    expect(following.lines).toHaveLength(2);
  });

  test('is tried out on staged steps', async () => {
    const tried = await run('trigger', 'test', file('hot.yaml'), '--steps', '0:5');
    expect(tried).toMatchObject({ code: 0, err: '' });
    expect(tried.out).toMatch(/\n +1 +hot +fired +firing +mx 11 +the condition holds\n/);
    expect(tried.out).toMatch(/\nnot covered: 4\n$/);
  });

  test('is disabled, enabled, deleted', async () => {
    expect((await run('trigger', 'disable', 'hot')).out).toBe('disabled trigger hot, generation 1\n');
    expect(await json('trigger', 'list')).toMatchObject([{ enabled: false }]);
    await put(4, 20);
    expect((await run('trigger', 'enable', 'hot')).out).toBe('enabled trigger hot, generation 1\n');
    expect(await decided(5)).toMatchObject([{}, {}, {}, {}, { step: 4, verdict: 'fired' }]);
    expect(await json('trigger', 'delete', 'hot')).toEqual([{ name: 'hot', generation: 1, deleted: true }]);
    expect(await json('trigger', 'list')).toEqual([]);
    expect(await decided(5)).toHaveLength(5);
  });

  test('fires events that can be followed', async () => {
    const tail = await spawnCommand(
      ['event', 'tail', '--from', 'all', '--trigger', 'hot', '--nats', running.url],
      /^\S+Z {2}fired {2}hot {2}run default {2}step 4 {2}mx 20 {2}\{"severity":"warn"\}$/,
    );
    tail.kill('SIGINT');
    expect(await tail.waitExit()).toEqual({ code: 0, signal: null });
    expect(tail.lines).toHaveLength(2);
    const events = await spawnCommand(
      ['event', 'tail', '--from', 'all', '--run', 'default', '--json', '--nats', running.url],
      /"step":4/,
    );
    events.kill('SIGINT');
    await events.waitExit();
    expect(JSON.parse(events.lines[0] ?? '')).toMatchObject({
      subject: 'tide.v1.event.trigger.default.hot.0.1',
      attributes: { id: 'hot/1/default/0/1', source: '/tidegate/trigger/hot', subject: 'T/0:8' },
      data: { step: 1, values: { mx: 11 }, data: { severity: 'warn' } },
    });
    const both = await run('event', 'tail', '--trigger', 'hot', '--subject', 'run.*', '--json');
    expect(both.code).toBe(2);
    expect(JSON.parse(both.err)).toMatchObject({ field: 'subject' });
  });

  test('that is bad is refused at its place in the file', async () => {
    await writeFile(file('bad.yaml'), HOT.replace('mx > 10.0', 'mx > limit'));
    const refused = await run('trigger', 'register', file('bad.yaml'));
    expect(refused).toMatchObject({ code: 1, out: '' });
    const [line, mark, error] = refused.err.split('\n');
    expect([line, mark]).toEqual(['5 | compare: {condition: mx > limit, edge: rising}', `${' '.repeat(4 + 26)}^`]);
    expect(error).toContain(`error: BAD_REQUEST: ${file('bad.yaml')}:5:27: compare.condition:`);
    const tested = await run('trigger', 'test', file('bad.yaml'), '--steps', '1', '--json');
    expect(JSON.parse(tested.err)).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining(`${file('bad.yaml')}:5:27: `),
    });
    const unknown = await run('trigger', 'get', 'none');
    expect(unknown.err).toMatch(/^error: UNKNOWN_TRIGGER: /);
    for (const words of [
      ['explain', 'none', '--step', '1'],
      ['decisions', 'none', '--follow'],
      ['delete', 'none'],
    ]) {
      expect((await run('trigger', ...words)).err).toMatch(/^error: UNKNOWN_TRIGGER: /);
    }
  });
});

test('a kernel is stored once and listed', async () => {
  expect(await json('kernel', 'list')).toEqual([]);
  // (module (import "env" "memory" (memory 1 16))
  //   (func (export "f") (param i32 i32 i32 i32 i32) (result i32) i32.const 0))
  const code = [
    '0061736d01000000',
    '010a0160057f7f7f7f7f017f',
    '02100103656e76066d656d6f727902010110',
    '03020100',
    '07050101660000',
    '0a0601040041000b',
  ].join('');
  await writeFile(file('f.wasm'), Buffer.from(code, 'hex'));
  const [stored] = await json('kernel', 'put', file('f.wasm'));
  expect(stored).toEqual({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), exports: ['f'] });
  expect(await json('kernel', 'put', file('f.wasm'))).toEqual([stored]);
  expect(await json('kernel', 'list')).toEqual([{ ...(stored as object), bytes: code.length / 2 }]);
  await writeFile(file('no.wasm'), 'no module');
  expect((await run('kernel', 'put', file('no.wasm'))).err).toMatch(/^error: BAD_REQUEST: /);
});

describe('trigger check', () => {
  const example = fileURLToPath(new URL('../../../../docs/examples/hot.check.yaml', import.meta.url));

  test('passes the example of the guide, without a cluster', async () => {
    const passed = await tidegate(['trigger', 'check', example]);
    expect(passed).toMatchObject({ code: 0, err: '' });
    expect(passed.out.match(/: ✓ \d steps as expected$/gm)).toHaveLength(3);
  });

  test('shows what differs and ends with exit code 1', async () => {
    await writeFile(file('x.check.yaml'), 'definition: hot.yaml\nvalues: {mx: [1, 11]}\nexpect: [quiet, pending]\n');
    const failed = await tidegate(['trigger', 'check', file('x.check.yaml'), example]);
    expect(failed).toMatchObject({ code: 1, err: '' });
    expect(failed.out).toMatch(
      /^hot: ✗ 1 of 2 steps not as expected\n +STEP .*EXPECTED.*\n✓ +0 .*\n✗ +1 .* pending +the/,
    );
    const lines = jsonLines(await tidegate(['trigger', 'check', file('x.check.yaml'), '--json']));
    expect(lines).toEqual([
      expect.objectContaining({ file: file('x.check.yaml'), case: 'hot', step: 0, differences: [] }),
      expect.objectContaining({ step: 1, differences: ['state: expected pending, got firing'] }),
    ]);
  });
});
