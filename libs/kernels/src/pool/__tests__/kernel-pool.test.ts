import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Box, boxOfShape } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { buildModule, CODE, memoryImport } from '../../__tests__/wasm-builder.js';
import { CheckRun } from '../../check-run.js';
import type { PieceData } from '../../piece-data.js';
import { KernelPool } from '../kernel-pool.js';

let folder: string;
let pool: KernelPool | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-pool-'));
});
afterEach(async () => {
  await pool?.stop();
  pool = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

const box = boxOfShape([4, 6]);
const cells = Float64Array.from({ length: 24 }, (_, at) => at + 0.5);
const here: PieceData = { box, bytes: new Uint8Array(cells.buffer) };

const module = buildModule({
  functions: {
    first: { code: CODE.first },
    shape: { code: CODE.shape },
    loop: { code: CODE.loop },
    trap: { code: CODE.trap },
    grow: { code: CODE.grow },
    tooMany: { code: CODE.tooMany },
    none: { code: CODE.none },
    error: { code: CODE.error },
    nan: { code: CODE.constant(Number.NaN) },
    infinite: { code: CODE.constant(Infinity) },
    copy: { code: CODE.copy },
  },
});
const digest = digestOf(module);
const kernels = new Map([[digest, module]]);

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function wasm(name: string, options: Partial<CheckDefinition> = {}): CheckDefinition {
  // Far more time than it takes, on however busy a machine.
  return { wasm: { digest, export: name }, limits: { ms: 10_000, pages: 16 }, ...options };
}

/** Checks a box cut into pieces, all of which are read from `data`. */
async function check(
  checks: Record<string, CheckDefinition>,
  {
    pieces = [box],
    data = here,
    modules = kernels,
  }: { pieces?: Box[]; data?: PieceData; modules?: Map<string, Uint8Array> } = {},
) {
  const running = pool as KernelPool;
  const run = new CheckRun({ checks, dtype: 'float64', shape: box.upper, box });
  for (let spec = run.next(); spec !== undefined; spec = run.next()) {
    const current = spec;
    const tasks = pieces.map((piece) => running.check({ spec: current, piece, data, kernels: modules }));
    const partials = await Promise.all(tasks);
    run.accept(partials.map((partial, at) => ({ box: pieces[at] as Box, partial })));
  }
  const { values, failures, parts } = run.result();
  return { values: Object.fromEntries(values), failures: Object.fromEntries(failures), parts };
}

const HALVES: Box[] = [
  { lower: [0, 0], upper: [4, 2] },
  { lower: [0, 2], upper: [4, 6] },
];

test('checks run on cells that are here and on those in a file, whole and in pieces', async () => {
  pool = await KernelPool.open({ minWorkers: 2 });
  const path = join(folder, 'cells');
  writeFileSync(path, Buffer.concat([Buffer.alloc(100), Buffer.from(cells.buffer)]));
  const file: PieceData = { box, file: { path, offset: 100, bytes: cells.byteLength } };
  const checks = { mx: { reduce: 'max' }, sum: { reduce: 'sum' }, at: { reduce: 'argmax' } } as const;
  const expected = { mx: 23.5, sum: 288, at: [3, 5] };
  for (const data of [here, file]) {
    for (const pieces of [[box], HALVES]) {
      const { values, failures } = await check(checks, { pieces, data });
      expect([values, failures]).toEqual([expected, {}]);
    }
  }
  expect(pool.stats()).toMatchObject({ workers: 2, busy: 0, queued: 0, tasks: 6, terminated: 0 });
});

test('what does not fit together and what cannot be read are typed errors, and the pool goes on', async () => {
  pool = await KernelPool.open();
  const spec = new CheckRun({ checks: { mx: { reduce: 'max' } }, dtype: 'float64', shape: [4, 6], box }).next();
  if (spec === undefined) throw new Error('expected a round');
  const outside = { lower: [0, 0], upper: [4, 7] };
  await expect(pool.check({ spec, piece: outside, data: here })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    field: 'piece',
  });
  const short = { box, bytes: new Uint8Array(8) };
  await expect(pool.check({ spec, piece: box, data: short })).rejects.toMatchObject({
    code: 'SIZE_MISMATCH',
    expectedBytes: 192,
  });
  const gone = { box, file: { path: join(folder, 'gone'), offset: 0, bytes: 192 } };
  await expect(pool.check({ spec, piece: box, data: gone })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const path = join(folder, 'short');
  writeFileSync(path, new Uint8Array(180));
  const cut = { box, file: { path, offset: 0, bytes: 192 } };
  await expect(pool.check({ spec, piece: box, data: cut })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/ends 12 bytes early/),
  });
  expect((await check({ mx: { reduce: 'max' } })).values).toEqual({ mx: 23.5 });
});

test('a kernel sees its cells packed, their shape, and its results are merged as the check says', async () => {
  pool = await KernelPool.open();
  const one = await check({ first: wasm('first'), shape: wasm('shape'), infinite: wasm('infinite') });
  expect([one.values, one.failures]).toEqual([{ first: 0.5, shape: [4, 6, 2], infinite: Infinity }, {}]);
  const two = await check(
    {
      sum: wasm('first', { merge: 'sum' }),
      min: wasm('first', { merge: 'min' }),
      max: wasm('shape', { merge: 'max' }),
      mean: wasm('first', { merge: 'mean' }),
      apart: wasm('first'),
    },
    { pieces: HALVES },
  );
  expect(two.values).toEqual({ sum: 3, min: 0.5, max: [4, 4, 2], mean: 1.5 });
  expect(two.failures['apart']).toMatch(/2 pieces and the check has no "merge"/);
  expect(two.parts.map((part) => part.values.get('apart'))).toEqual([0.5, 2.5]);
});

test('what a kernel does wrong fails its own check alone', async () => {
  pool = await KernelPool.open();
  const unknown = { wasm: { digest: digestOf(Uint8Array.of(1)), export: 'run' } };
  const { values, failures } = await check({
    mx: { reduce: 'max' },
    first: wasm('first'),
    loop: wasm('loop', { limits: { ms: 20, pages: 16 } }),
    trap: wasm('trap'),
    grow: wasm('grow'),
    tooMany: wasm('tooMany'),
    none: wasm('none'),
    error: wasm('error'),
    nan: wasm('nan'),
    missing: wasm('missing'),
    small: wasm('first', { limits: { ms: 50, pages: 1 } }),
    unknown,
  });
  expect(values).toEqual({ mx: 23.5, first: 0.5 });
  expect(failures).toEqual({
    loop: 'the kernel ran longer than 20 ms',
    trap: expect.stringMatching(/^the kernel trapped: .*unreachable/),
    grow: 'the kernel returned error -1',
    tooMany: 'the kernel returned 16383 results, there is room for 1024',
    none: 'the kernel returned no result',
    error: 'the kernel returned error -5',
    nan: 'a result of the kernel is not a number',
    missing: expect.stringMatching(/^the kernel has no export "missing"/),
    small: 'the kernel needs 2 pages, of which 1 are its own; at most 1 are allowed',
    unknown: expect.stringMatching(/is not known here/),
  });
  expect(pool.stats().terminated).toBe(1);
});

test('a module that is not what its digest says, or may not be run, fails its check', async () => {
  pool = await KernelPool.open();
  const other = buildModule({ imports: [memoryImport(0, 1)] });
  const forged = await check({ x: wasm('first') }, { modules: new Map([[digest, other]]) });
  expect(forged.failures['x']).toMatch(/the kernel's digest is sha256:.*, expected sha256:/);
  const own = digestOf(other);
  const unbounded = await check({ x: { wasm: { digest: own, export: 'run' } } }, { modules: new Map([[own, other]]) });
  expect(unbounded.failures['x']).toMatch(/cannot be loaded: .*declared maximum/);
});

test('kernels that never end do not keep others from running', async () => {
  pool = await KernelPool.open({ maxWorkers: 2 });
  const endless = Array.from({ length: 4 }, () => check({ loop: wasm('loop', { limits: { ms: 30, pages: 16 } }) }));
  const short = Array.from({ length: 4 }, () => check({ first: wasm('first') }));
  for (const result of await Promise.all(endless)) expect(Object.keys(result.failures)).toEqual(['loop']);
  for (const result of await Promise.all(short)) expect(result.values).toEqual({ first: 0.5 });
  expect(pool.stats().terminated).toBe(4);
});

test('transforms: downsample, slice, threshold, and a kernel that has a result for each cell', async () => {
  pool = await KernelPool.open();
  const piece = { lower: [1, 1], upper: [4, 6] };
  const task = { dtype: 'float64', piece, data: here, kernels } as const;
  const numbers = (bytes: Uint8Array) => Array.from(new Float64Array(bytes.slice().buffer));
  const half = await pool.transform({ ...task, transform: { downsample: 2 } });
  expect(half).toMatchObject({ box: { lower: [1, 1], upper: [2, 3] }, dtype: 'float64' });
  expect(numbers(half?.bytes ?? new Uint8Array())).toEqual([14.5, 16.5]);
  expect(await pool.transform({ ...task, transform: { slice: { axis: 0, index: 0 } } })).toBeUndefined();
  const hot = await pool.transform({ ...task, transform: { threshold: { above: 20 } } });
  expect(hot).toMatchObject({ box: piece, dtype: 'bool' });
  expect(Array.from(hot?.bytes ?? [])).toEqual([...new Array(11).fill(0), 1, 1, 1, 1]);
  const copied = await pool.transform({ ...task, transform: { wasm: { digest, export: 'copy' } } });
  expect(copied).toMatchObject({ box: piece, dtype: 'float64' });
  expect(numbers(copied?.bytes ?? new Uint8Array())[14]).toBe(23.5);
  const one = pool.transform({ ...task, transform: { wasm: { digest, export: 'first' } } });
  await expect(one).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: 'expected a result for each of 15 cells, got 1',
  });
});

test('a task that is aborted rejects at once, before it begins and while a kernel runs', async () => {
  pool = await KernelPool.open();
  const spec = new CheckRun({
    checks: { x: wasm('loop', { limits: { ms: 60_000, pages: 16 } }) },
    dtype: 'float64',
    shape: [4, 6],
    box,
  }).next();
  if (spec === undefined) throw new Error('expected a round');
  const task = { spec, piece: box, data: here, kernels };
  await expect(pool.check(task, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
  const controller = new AbortController();
  const running = pool.check(task, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('never mind')), 100);
  await expect(running).rejects.toThrow('never mind');
  expect((await check({ first: wasm('first') })).values).toEqual({ first: 0.5 });
});

test('more tasks than may wait are refused as busy, and the pool grows while they wait', async () => {
  pool = await KernelPool.open({ minWorkers: 1, maxWorkers: 3, maxQueued: 40 });
  const large = boxOfShape([400_000]);
  const data: PieceData = { box: large, bytes: new Uint8Array(3_200_000) };
  const checks: Record<string, CheckDefinition> = { q: { reduce: 'quantile', q: 0.5 }, s: { reduce: 'std' } };
  const spec = new CheckRun({ checks, dtype: 'float64', shape: large.upper, box: large }).next();
  if (spec === undefined) throw new Error('expected a round');
  const running = pool;
  const tasks = Array.from({ length: 42 }, () => running.check({ spec, piece: large, data }));
  const refused = tasks.pop();
  await expect(refused).rejects.toMatchObject({ code: 'BUSY', retryAfterMs: 100 });
  await Promise.all(tasks);
  expect(running.stats().workers).toBeGreaterThan(1);
});

test('what waits or runs when the pool stops is rejected', async () => {
  const stopping = await KernelPool.open({ maxWorkers: 1 });
  const endless = wasm('loop', { limits: { ms: 60_000, pages: 16 } });
  const spec = new CheckRun({ checks: { x: endless }, dtype: 'float64', shape: [4, 6], box }).next();
  if (spec === undefined) throw new Error('expected a round');
  const tasks = Array.from({ length: 3 }, () => stopping.check({ spec, piece: box, data: here, kernels }));
  const outcomes = Promise.allSettled(tasks);
  await stopping.stop();
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
  await expect(stopping.check({ spec, piece: box, data: here })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

/** A script of a worker, as text. */
function script(code: string): URL {
  return new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${code}`)}`,
  );
}

test('a worker that crashes fails its task alone, and another one takes its place', async () => {
  const ready = `parentPort.postMessage({ kind: 'ready' });`;
  const crash = `parentPort.on('message', (requests) => {
    if (requests.some(({ task }) => task.piece.lower[0] === 1)) throw new Error('a bug');
    parentPort.postMessage({ kind: 'result', result: requests.map(() => ({ result: Uint8Array.of(7) })) });
  });`;
  pool = await KernelPool.open({ maxWorkers: 1, script: script(crash + ready) });
  const spec = new CheckRun({ checks: { x: { reduce: 'max' } }, dtype: 'float64', shape: [4, 6], box }).next();
  if (spec === undefined) throw new Error('expected a round');
  const good = { spec, piece: box, data: here };
  const bad = { ...good, piece: { lower: [1, 0], upper: [2, 1] } };
  const running = pool;
  const tasks = [good, bad, good, bad, good].map((task) => running.check(task));
  const outcomes = await Promise.allSettled(tasks);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]).toMatchObject({ reason: { code: 'UNAVAILABLE', message: 'a kernel worker ended: a bug' } });
  // Once with the four that ran together, and once with each that was to blame.
  expect(running.stats()).toMatchObject({ workers: 1, queued: 0, terminated: 3 });
});

test('many small tasks go to a worker together, and each has an outcome of its own', async () => {
  pool = await KernelPool.open({ maxWorkers: 1 });
  const running = pool;
  const spec = new CheckRun({ checks: { x: { reduce: 'max' } }, dtype: 'float64', shape: [4, 6], box }).next();
  if (spec === undefined) throw new Error('expected a round');
  const good = { spec, piece: box, data: here };
  const outside = { ...good, piece: { lower: [90, 90], upper: [91, 91] } };
  const tasks = Array.from({ length: 100 }, (_, at) => running.check(at % 10 === 3 ? outside : good));
  const outcomes = await Promise.allSettled(tasks);
  expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(outcomes.map((_, at) => at % 10 === 3));
  const values = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [Buffer.from(outcome.value).toString('hex')] : [],
  );
  expect(new Set(values).size).toBe(1);
  expect(running.stats()).toMatchObject({ tasks: 100, queued: 0, terminated: 0 });
});

test('workers that do not start are an error of open', async () => {
  await expect(KernelPool.open({ script: script(`throw new Error('no kernels here')`) })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});
