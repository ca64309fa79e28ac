import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeNpy, encodeNpy } from '@tidegate/array';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
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
  });
});
afterAll(async () => {
  await running?.stop();
  await folder.remove();
});

const file = (name: string): string => join(folder.path, name);
const run = (...words: readonly string[]) => tidegate(words, { env: { TIDEGATE_NATS: running.url } });

async function json(...words: readonly string[]): Promise<readonly unknown[]> {
  const finished = await run(...words, '--json');
  expect(finished).toMatchObject({ code: 0, err: '' });
  return jsonLines(finished);
}

async function failure(...words: readonly string[]): Promise<{ code: number; body: unknown }> {
  const { code, out, err } = await run(...words, '--json');
  expect(out).toBe('');
  return { code, body: JSON.parse(err) };
}

function ramp(length: number): Uint8Array {
  const cells = Float64Array.from({ length }, (_, at) => at / 2);
  return new Uint8Array(cells.buffer);
}

describe('declare, put, get', () => {
  test('carry a .npy there and back', async () => {
    expect(await json('declare', 'T', '--dtype', 'float64', '--shape', '8,6', '--window', '3')).toMatchObject([
      { name: 'T', dtype: 'float64', shape: [8, 6], window: 3, onEvict: 'spill' },
    ]);
    const npy = encodeNpy(ramp(48), 'float64', [8, 6]);
    await writeFile(file('t.npy'), npy);
    expect(await json('put', 'T', file('t.npy'), '--step', '4', '--digest')).toMatchObject([
      { variable: 'T', step: 4, box: '0:8,0:6', bytes: 384, digest: expect.stringMatching(/^sha256:/) },
    ]);
    expect((await run('get', 'T', '-o', file('back.npy'))).out).toBe(
      `wrote ${file('back.npy')}: T step 4 box 0:8,0:6, float64 (8, 6), 384 B\n`,
    );
    expect(Buffer.compare(await readFile(file('back.npy')), npy)).toBe(0);
    expect(await json('get', 'T', '--step', '4', '--box', '1:3,0:2')).toEqual([
      {
        ...{
          variable: 'T',
          run: 'default',
          step: 4,
          epoch: 0,
          box: '1:3,0:2',
          dtype: 'float64',
          shape: [2, 2],
          bytes: 32,
        },
        ...{ cells: 4, min: 3, max: 6.5, mean: 4.75, nan: 0 },
      },
    ]);
    expect((await run('get', 'T', '--box', '0:1,0:3')).out.split('\n').slice(-4)).toEqual([
      'range     0 … 1',
      'mean      0.5',
      '[  0  0.5    1]',
      '',
    ]);
  });

  test('take standard input and output', async () => {
    const npy = encodeNpy(ramp(4), 'float64', [2, 2]);
    const options = { env: { TIDEGATE_NATS: running.url } };
    const put = await tidegate(['put', 'T', '-', '--step', '5', '--box', '6:8,4:6', '--run', 'piped'], {
      ...options,
      input: npy,
    });
    expect(put).toMatchObject({ code: 0, err: '' });
    expect(put.out).toMatch(/^put T step 5 box 6:8,4:6: 32 B as [0-9A-Z]{26} at raw-/);
    const got = await run('get', 'T', '--step', '5', '--box', '6:8,4:6', '--run', 'piped', '-o', '-');
    const { shape, dtype } = decodeNpy(got.outBytes);
    expect({ code: got.code, shape, dtype }).toEqual({ code: 0, shape: [2, 2], dtype: 'float64' });
  });

  test('carry opaque objects as they are', async () => {
    await json('declare', 'mesh', '--dtype', 'bytes', '--shape', '4');
    await writeFile(file('mesh.vtk'), 'a mesh');
    await json('put', 'mesh', file('mesh.vtk'), '--step', '0');
    expect(await json('get', 'mesh', '--step', '0', '-o', file('mesh.out'))).toMatchObject([
      { box: '0:4', bytes: 6, file: file('mesh.out') },
    ]);
    expect(await readFile(file('mesh.out'), 'utf8')).toBe('a mesh');
  });

  test('say what is wrong, with exit code 1, or 2 for wrong use', async () => {
    await writeFile(file('small.npy'), encodeNpy(ramp(2), 'float64', [2]));
    expect(await failure('put', 'T', file('small.npy'), '--step', '6')).toEqual({
      code: 1,
      body: {
        ...{ code: 'BAD_REQUEST', field: 'file', retryable: false },
        message: 'expected shape (8, 6) for box 0:8,0:6, got a .npy of shape (2)',
      },
    });
    expect(await failure('put', 'T', file('none.npy'), '--step', '6')).toMatchObject({
      code: 1,
      body: { code: 'NOT_FOUND' },
    });
    expect(await failure('get', 'T', '--step', '99')).toMatchObject({
      code: 1,
      body: { code: 'NOT_COVERED', missing: ['0:8,0:6'], missingCount: 1 },
    });
    expect(await failure('get', 'T', '-o', '-')).toMatchObject({
      code: 2,
      body: { code: 'BAD_REQUEST', field: 'output' },
    });
    const unknown = await run('get', 'nothing');
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toMatch(/^error: UNKNOWN_VARIABLE: variable "nothing" is not declared.*\n$/);
    const conflict = await run('declare', 'T', '--dtype', 'int8', '--shape', '8,6');
    expect(conflict.err).toMatch(/^error: CONFLICT: .*\n$/);
  });
});

describe('looking around', () => {
  test('query, steps, variables, storage', async () => {
    expect(await json('query', 'T', '--step', '4')).toMatchObject([
      { covered: true, pieces: [{ box: '0:8,0:6', tier: 'memory' }], missing: [] },
    ]);
    expect(await json('steps', 'T')).toEqual([
      { step: 4, covered: true, partitions: 1, bytes: 384, tier: 'memory', pinned: false },
    ]);
    expect((await run('steps', 'T')).out).toBe(
      'STEP  COVERED  PARTITIONS  BYTES  TIER    PINNED\n   4  yes               1  384 B  memory  no\n',
    );
    expect((await json('variables')).map((record) => (record as { name: string }).name)).toEqual(['T', 'mesh']);
    expect(await json('storage')).toMatchObject([{ state: 'ok', services: [{ id: running.rawServices[0] }] }]);
    expect((await run('storage')).out).toMatch(/^state ok\n\nRAW-SERVICE +STATE +MEMORY/);
  });

  test('asyncapi prints the contract', async () => {
    expect(await json('asyncapi')).toMatchObject([{ asyncapi: expect.stringMatching(/^3\./) }]);
  });
});

describe('changing what is staged', () => {
  test('pin, unpin, rollback, delete, and the events of it', async () => {
    expect(await json('pin', 'T', '--steps', '4', '--reason', 'why not')).toEqual([
      { variable: 'T', run: 'default', steps: 4, pinned: true },
    ]);
    expect(await json('steps', 'T')).toMatchObject([{ step: 4, pinned: true }]);
    expect(await json('unpin', 'T', '--steps', '4:5')).toMatchObject([{ pinned: false }]);
    expect(await json('rollback', 'piped', '--to-step', '2')).toEqual([{ run: 'piped', toStep: 2, epoch: 1 }]);
    expect(await json('steps', 'T', '--run', 'piped')).toEqual([]);

    const tail = await spawnCommand(
      ['event', 'tail', '--from', 'all', '--subject', 'run.*', '--json', '--nats', running.url],
      /^\{.*epoch.*\}$/,
    );
    expect(JSON.parse(tail.ready[0] ?? '')).toMatchObject({
      subject: 'tide.v1.event.run.piped',
      data: { run: 'piped', epoch: 1, toStep: 2 },
    });
    tail.kill('SIGINT');
    expect(await tail.waitExit()).toEqual({ code: 0, signal: null });

    expect(await json('delete', 'T', '--steps', '0:10')).toEqual([{ partitions: 1, bytes: 384 }]);
    expect(await json('delete', 'mesh', '--all')).toEqual([{ variable: 'mesh', deleted: true }]);
    expect(await failure('delete', 'T')).toMatchObject({ code: 2, body: { field: 'steps' } });
  });

  test('steps --follow prints each step that becomes covered', async () => {
    const following = await spawnCommand(
      ['steps', 'T', '--follow', '--run', 'live', '--nats', running.url],
      /^step 7 is covered$/,
      () => run('put', 'T', file('t.npy'), '--step', '7', '--run', 'live'),
    );
    following.kill('SIGTERM');
    expect(await following.waitExit()).toEqual({ code: 0, signal: null });
    expect(following.lines).toEqual(['step 7 is covered']);
  });
});
