import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { extractBox } from '@tidegate/array';
import { openBucket } from '@tidegate/bus';
import { boxOfShape, formatBox, parseBox, splitBox } from '@tidegate/geometry';
import { CheckRun, type CheckValue } from '@tidegate/kernels';
import {
  BadRequestError,
  type CheckDefinition,
  type CheckPiece,
  type CheckReply,
  type DeriveReply,
  type KernelRecord,
  type PartitionId,
  type PersistReply,
  type PutReply,
  rawSubject,
} from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { nextId } from './partition-samples.js';
import { RawBench } from './raw-bench.js';

const SHAPE = [48, 40];
const DOMAIN = boxOfShape(SHAPE);
/** Small messages, so that replies come in parts. */
const MAX_PAYLOAD = 64 << 10;

let bench: RawBench;

beforeAll(async () => {
  bench = await RawBench.start({ maxPayload: MAX_PAYLOAD });
  await bench.raw('raw1');
  await bench.raw('raw2');
  await bench.declare('T', { shape: SHAPE });
});
afterAll(() => bench.stop());

function field(seed: number): Float64Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return Float64Array.from({ length: 48 * 40 }, () => random.next() * 100 - 50);
}
const bytesOf = ({ buffer }: Float64Array<ArrayBuffer>) => new Uint8Array(buffer);

/** Puts a field in blocks, dealt to the raw-services in turn. @returns where the blocks are */
async function stage(values: Float64Array<ArrayBuffer>, step: number, raws = ['raw1', 'raw2'], cells = 500) {
  const pieces: (CheckPiece & { readonly reply: PutReply })[] = [];
  for (const box of splitBox(DOMAIN, cells)) {
    const raw = raws[pieces.length % raws.length] ?? '';
    const data = extractBox(bytesOf(values), DOMAIN, box, 8);
    const reply = await bench.put(raw, { variable: 'T', step, box: formatBox(box) }, data);
    pieces.push({ id: reply.id as PartitionId, box: formatBox(box), raw: raw as CheckPiece['raw'], reply });
  }
  return pieces;
}

/** As a trigger-engine does: rounds of checks at every raw-service until all values are there. */
async function measure(checks: Record<string, CheckDefinition>, pieces: readonly CheckPiece[]) {
  const run = new CheckRun({ checks, dtype: 'float64', shape: SHAPE, box: DOMAIN });
  for (let round = run.next(); round !== undefined; round = run.next()) {
    const byRaw = Map.groupBy(pieces, ({ raw }) => raw);
    const answers = await Promise.all(
      [...byRaw].map(async ([raw, asked]) => {
        const body = {
          variable: 'T',
          round,
          deadlineMs: 10_000,
          pieces: asked.map(({ id, box, raw: at, previous }) => ({ id, box, raw: at, previous })),
        };
        const { results } = await bench.ask<CheckReply>(raw, 'check', body);
        return results.map((result, at) => {
          if ('gone' in result) throw new Error('expected no piece to be gone');
          const partial = 'partial' in result ? result.partial : result;
          return { box: parseBox(asked[at]?.box ?? ''), partial };
        });
      }),
    );
    run.accept(answers.flat());
  }
  return run.result();
}

describe('check', () => {
  test('computes what one process would, from pieces in memory and on disk at two raw-services', async () => {
    const values = field(1);
    const pieces = await stage(values, 0);
    await bench.ask('raw1', 'persist', { ids: pieces.flatMap(({ id, raw }) => (raw === 'raw1' ? [id] : [])) });
    const { values: got, failures } = await measure(
      {
        mx: { reduce: 'max' },
        at: { reduce: 'argmax' },
        mean: { reduce: 'mean' },
        positive: { reduce: 'count', above: 0 },
        middle: { reduce: 'quantile', q: 0.5 },
      },
      pieces,
    );
    const sorted = values.toSorted();
    const index = values.indexOf(sorted.at(-1) ?? 0);
    expect(failures).toEqual(new Map());
    expect(got.get('mx')).toBe(sorted.at(-1));
    expect(got.get('at')).toEqual([Math.floor(index / 40), index % 40]);
    expect(got.get('positive')).toBe(values.filter((value) => value > 0).length);
    expect(got.get('middle')).toBe(((sorted[959] ?? 0) + (sorted[960] ?? 0)) / 2);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs((got.get('mean') as number) - mean)).toBeLessThan(1e-10);
  });

  test('compares with the step before, whichever raw-service has it', async () => {
    const [before, now] = [field(2), field(3)];
    const old = await stage(before, 10, ['raw2', 'raw1'], 700);
    const pieces = (await stage(now, 11)).map((piece) => ({
      ...piece,
      previous: old.flatMap(({ id, raw, box }) => {
        const [a, b] = [parseBox(box), parseBox(piece.box)];
        const lower = a.lower.map((x, d) => Math.max(x, b.lower[d] ?? 0));
        const upper = a.upper.map((x, d) => Math.min(x, b.upper[d] ?? 0));
        return lower.every((x, d) => x < (upper[d] ?? 0)) ? [{ id, raw, box: formatBox({ lower, upper }) }] : [];
      }),
    }));
    const { values, failures } = await measure({ d: { reduce: 'linf_diff', against: 'previous' } }, pieces);
    expect(failures).toEqual(new Map());
    expect(values.get('d')).toBe(Math.max(...now.map((value, at) => Math.abs(value - (before[at] ?? 0)))));
  });

  test('says of every piece whether it is gone, and names bad requests', async () => {
    const pieces = await stage(field(4), 20, ['raw1']);
    const run = new CheckRun({ checks: { mx: { reduce: 'max' } }, dtype: 'float64', shape: SHAPE, box: DOMAIN });
    const body = { variable: 'T', round: run.next(), deadlineMs: 10_000, pieces };
    const [first] = pieces;
    await bench.ask('raw1', 'release', { ids: [first?.id], reason: 'deleted' });
    const { results } = await bench.ask<CheckReply>('raw1', 'check', body);
    expect(results.map((result) => 'gone' in result)).toEqual(pieces.map((_, at) => at === 0));
    await expect(bench.ask('raw1', 'check', { ...body, pieces: [{}] })).rejects.toBeInstanceOf(BadRequestError);
  });

  test('sends a reply that does not fit one message in parts', async () => {
    const pieces = await stage(field(5), 30, ['raw1'], 40);
    const checks = { h: { reduce: 'histogram', bins: 4096, range: [-50, 50] as [number, number] } } as const;
    const { values } = await measure(checks, pieces);
    const histogram = values.get('h') as CheckValue as number[];
    expect(histogram.reduce((sum, count) => sum + count, 0)).toBe(48 * 40);
    const run = new CheckRun({ checks, dtype: 'float64', shape: SHAPE, box: DOMAIN });
    const body = { variable: 'T', round: run.next(), deadlineMs: 10_000, pieces };
    const { results } = await bench.ask<CheckReply>('raw1', 'check', body);
    expect(results).toHaveLength(pieces.length);
    const bytes = results.reduce((sum, result) => sum + ('partial' in result ? result.partial.length : 0), 0);
    expect(bytes).toBeGreaterThan(MAX_PAYLOAD);
  });

  test('reads the right cells while windows, pressure and deletions move them and their room is used again', async () => {
    await bench.raw('small', { memoryBytes: 256 << 10 });
    await bench.declare('spills', { shape: [64, 64], window: 2 });
    await bench.declare('drops', { shape: [64, 64], window: 2, onEvict: 'drop' });
    const checks = { low: { reduce: 'min' }, high: { reduce: 'max' } } as const;
    const box = boxOfShape([64, 64]);
    let [compared, gone] = [0, 0];
    const check = async (variable: string, value: number, id: string) => {
      const run = new CheckRun({ checks, dtype: 'float64', shape: [64, 64], box });
      const pieces = [{ id, box: formatBox(box), raw: 'small' }];
      const body = { variable, round: run.next(), deadlineMs: 20_000, pieces };
      const [result] = (await bench.ask<CheckReply>('small', 'check', body)).results;
      if (result === undefined || 'gone' in result) {
        gone++;
        return;
      }
      run.accept([{ box, partial: 'partial' in result ? result.partial : result }]);
      expect([...run.result().values.values()]).toEqual([value, value]);
      compared++;
    };
    const random = seededRandom(7);
    const known: { readonly variable: string; readonly value: number; readonly id: string }[] = [];
    const running: Promise<void>[] = [];
    for (let step = 0; step < 150; step++) {
      const variable = step % 2 === 0 ? 'spills' : 'drops';
      const descriptor = { variable, step, box: formatBox(box), wait: 10_000 };
      const { id } = await bench.put('small', descriptor, bytesOf(new Float64Array(64 * 64).fill(step)));
      known.push({ variable, value: step, id });
      for (const one of [known.at(-1), random.pick(known), random.pick(known.slice(-4))])
        if (one !== undefined) running.push(check(one.variable, one.value, one.id));
      if (step % 10 === 9) {
        const ids = [random.pick(known.slice(-4)).id];
        running.push(bench.ask('small', 'release', { ids, reason: 'deleted' }).then(() => undefined));
      }
    }
    await Promise.all(running);
    expect(compared + gone).toBe(450);
    expect(compared).toBeGreaterThan(200);
    const storage = await bench.ask<{ memory: { usedBytes: number } }>('small', 'storage', {});
    expect(storage.memory.usedBytes % (64 * 64 * 8)).toBe(0);
    const ids = known.map(({ id }) => id);
    await bench.ask('small', 'release', { ids, reason: 'deleted' });
    expect(await bench.ask('small', 'storage', {})).toMatchObject({ memory: { usedBytes: 0 }, disk: { usedBytes: 0 } });
  });

  test('runs the kernels of users, and fails those checks alone whose kernel is not stored', async () => {
    const wasm = countKernel();
    const digest = `sha256:${createHash('sha256').update(wasm).digest('hex')}`;
    const kernels = await openBucket<KernelRecord>(bench.bus, 'kernels');
    const stored = { wasm: Buffer.from(wasm).toString('base64'), exports: ['count'], bytes: wasm.length };
    await kernels.put(digest.slice(7), stored);
    const pieces = await stage(field(6), 40);
    const absent = `sha256:${'0'.repeat(64)}`;
    const { values, failures } = await measure(
      {
        n: { wasm: { digest, export: 'count' }, limits: { ms: 1000, pages: 64 }, merge: 'sum' },
        none: { wasm: { digest: absent, export: 'count' } },
        mx: { reduce: 'max' },
      },
      pieces,
    );
    expect(values.get('n')).toBe(48 * 40);
    expect(values.has('mx')).toBe(true);
    expect([...failures.keys()]).toEqual(['none']);
  });
});

describe('derive', () => {
  test('puts what a transform makes of the pieces, once, with its origin', async () => {
    await bench.declare('small', { shape: [24, 20] });
    const values = field(7);
    const pieces = await stage(values, 50, ['raw1']);
    const body = {
      transform: { downsample: 2 },
      variable: 'T',
      run: 'default',
      step: 50,
      to: 'small',
      activity: 'action-50',
      deadlineMs: 10_000,
      pieces: pieces.map(({ id, box, raw }) => ({ id, box, raw, derivedId: nextId() })),
    };
    const { results } = await bench.ask<DeriveReply>('raw1', 'derive', body);
    expect(await bench.ask<DeriveReply>('raw1', 'derive', body)).toEqual({ results });
    const derived = [...bench.shards.entries.values()].filter(({ variable }) => variable === 'small');
    expect(derived.map(({ id }) => id).sort()).toEqual(
      results.map((result) => ('stored' in result ? result.stored : '')).sort(),
    );
    for (const { id, box, step, run } of derived) {
      expect([step, run]).toEqual([50, 'default']);
      const request = new TextEncoder().encode(JSON.stringify({ id, box: formatBox(box) }));
      const reply = await bench.bus.request(rawSubject('raw1', 'read'), request, { timeoutMs: 5000 });
      const got = new Float64Array(Uint8Array.from(reply.data).buffer);
      let at = 0;
      for (let i = box.lower[0] ?? 0; i < (box.upper[0] ?? 0); i++)
        for (let j = box.lower[1] ?? 0; j < (box.upper[1] ?? 0); j++) expect(got[at++]).toBe(values[i * 80 + j * 2]);
      expect(at).toBe(got.length);
    }
  });

  test('a target that does not fit stores nothing', async () => {
    const [piece] = await stage(field(8), 60, ['raw1'], 48 * 40);
    const body = {
      transform: { threshold: { above: 0 } },
      variable: 'T',
      run: 'default',
      step: 60,
      to: 'small',
      activity: 'a',
      deadlineMs: 10_000,
      pieces: [{ id: piece?.id, box: piece?.box, raw: 'raw1', derivedId: nextId() }],
    };
    const { results } = await bench.ask<DeriveReply>('raw1', 'derive', body);
    expect(results).toEqual([
      { failure: expect.stringMatching(/expected variable "small" to be bool/), retryable: false },
    ]);
  });
});

describe('persist', () => {
  test('survives the loss of memory', async () => {
    const raw3 = await bench.raw('raw3');
    const pieces = await stage(field(9), 70, ['raw3']);
    const ids = pieces.map(({ id }) => id);
    const gone = nextId();
    const reply = await bench.ask<PersistReply>('raw3', 'persist', { ids: [...ids, gone] });
    expect(reply).toEqual({ persisted: ids, gone: [gone] });
    expect(await bench.ask('raw3', 'persist', { ids })).toEqual({ persisted: ids, gone: [] });
    await raw3.stop();
    await bench.loseMemory('raw3');
    await bench.raw('raw3');
    for (const id of ids) expect(await bench.ask('raw3', 'lookup', { id })).toMatchObject({ state: 'stored' });
  });
});

/** `count(data, dims, shape, out, capacity)`: writes the number of cells of a two-dimensional piece. */
function countKernel(): Uint8Array<ArrayBuffer> {
  const i32 = 0x7f;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    // One type: five i32 to one i32.
    ...[0x01, 0x0a, 0x01, 0x60, 0x05, i32, i32, i32, i32, i32, 0x01, i32],
    // Import env.memory of 1 to 64 pages.
    ...[0x02, 0x10, 0x01, 0x03, ...Buffer.from('env'), 0x06, ...Buffer.from('memory'), 0x02, 0x01, 0x01, 0x40],
    ...[0x03, 0x02, 0x01, 0x00],
    ...[0x07, 0x09, 0x01, 0x05, ...Buffer.from('count'), 0x00, 0x00],
    // out[0] = f64(shape[0] * shape[1]); return 1.
    ...[0x0a, 0x17, 0x01, 0x15, 0x00],
    ...[0x20, 0x03, 0x20, 0x02, 0x28, 0x02, 0x00, 0x20, 0x02, 0x28, 0x02, 0x04, 0x6c, 0xb8, 0x39, 0x03, 0x00],
    ...[0x41, 0x01, 0x0b],
  ]);
}
