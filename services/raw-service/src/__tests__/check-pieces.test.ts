import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseBox } from '@tidegate/geometry';
import { CheckRun, type RoundSpec } from '@tidegate/kernels';
import {
  BadRequestError,
  BusyError,
  type CheckDefinition,
  type PartitionRecord,
  type RawId,
  TimeoutError,
  UnavailableError,
} from '@tidegate/protocol';
import { checkPieces } from '../check-pieces.js';
import type { PartitionStore } from '../partition-store.js';
import type { CheckPiecePlace, CheckWork } from '../task-requests.js';
import { put, StoreBench } from './open-store.js';
import { sampleRecord } from './partition-samples.js';
import { TaskBench } from './task-bench.js';

let folders: StoreBench;
let store: PartitionStore;
let bench: TaskBench;

beforeEach(async () => {
  folders = await StoreBench.make();
  folders.policies.set('T', { window: 10, onEvict: 'spill', durability: 'memory' });
  store = await folders.open();
  bench = new TaskBench(store);
});
afterEach(async () => {
  await store.close();
  await folders.remove();
});

function roundOf(check: CheckDefinition): RoundSpec {
  const run = new CheckRun({ checks: { c: check }, dtype: 'float64', shape: [16, 16], box: parseBox('0:16,0:16') });
  const round = run.next();
  if (round === undefined) throw new Error('expected a round');
  return round;
}

const work = (pieces: readonly CheckPiecePlace[], changes: Partial<CheckWork> = {}): CheckWork => ({
  variable: 'T',
  round: roundOf({ reduce: 'max' }),
  pieces,
  deadlineMs: 10_000,
  ...changes,
});
const place = ({ id }: PartitionRecord, box = '0:16,0:16', raw = 'raw1') => ({
  id,
  box: parseBox(box),
  raw: raw as RawId,
});
async function stage(options: Parameters<typeof sampleRecord>[0] = {}) {
  const record = sampleRecord(options);
  await put(store, record);
  return record;
}
/** Whether all that was held is released. */
async function isFree() {
  await store.remove([...store.records()].map(({ record }) => record.id));
  return store.use().memory.usedBytes === 0;
}

describe('checkPieces', () => {
  test('answers piece by piece: a partial, a failure, or that it is gone', async () => {
    const record = await stage();
    const other = await stage({ dtype: 'float32' });
    const pieces = [place(record), place(sampleRecord({})), place(record, '0:20,0:16'), place(other)];
    const { results } = await checkPieces(bench.context, work(pieces));
    expect(results).toEqual([
      { partial: new Uint8Array([7]) },
      { gone: true },
      { failure: expect.stringMatching(/expected a piece inside 0:16,0:16/) },
      { failure: 'expected data of float64, got float32' },
    ]);
    expect(bench.checks).toMatchObject([{ piece: record.box, data: { file: {} } }]);
    expect(await isFree()).toBe(true);
  });

  test('compares with pieces here and elsewhere, and is gone where one of these is', async () => {
    const round = roundOf({ reduce: 'linf_diff', against: 'previous' });
    const [now, before] = [await stage({ step: 1 }), await stage()];
    const far = sampleRecord({});
    bench.remote = async (_raw, _id, box) => new Uint8Array(box === '8:16,0:16' ? 1024 : 0);
    const previous = [place(before, '0:8,0:16'), place(far, '8:16,0:16', 'raw2')];
    const { results } = await checkPieces(bench.context, work([{ ...place(now), previous }], { round }));
    expect(results).toHaveLength(1);
    expect(bench.checks[0]?.previous).toMatchObject([{ piece: parseBox('0:8,0:16') }, { box: parseBox('8:16,0:16') }]);
    const gone = [place(before, '0:8,0:16'), place(sampleRecord({}), '8:16,0:16')];
    const again = await checkPieces(bench.context, work([{ ...place(now), previous: gone }, place(now)], { round }));
    expect(again.results).toEqual([{ gone: true }, { partial: new Uint8Array([7]) }]);
    expect(bench.checks[1]?.previous).toBeUndefined();
    expect(await isFree()).toBe(true);
  });

  test('hands on the modules of users that the round names', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const round = roundOf({ wasm: { digest, export: 'f' } });
    await checkPieces(bench.context, work([place(await stage())], { round }));
    expect([...(bench.checks[0]?.kernels?.keys() ?? [])]).toEqual([digest]);
  });

  test('a partition that is deleted while a worker looks for it is gone; one that is there is an error', async () => {
    const record = await stage();
    bench.check = async () => {
      await store.remove([record.id]);
      throw new UnavailableError('cannot read', 100);
    };
    expect((await checkPieces(bench.context, work([place(record)]))).results).toEqual([{ gone: true }]);
    const standing = await stage();
    bench.check = async () => {
      throw new UnavailableError('cannot read', 100);
    };
    await expect(checkPieces(bench.context, work([place(standing)]))).rejects.toBeInstanceOf(UnavailableError);
    bench.check = async () => {
      throw new BadRequestError('piece', 'no such piece');
    };
    expect((await checkPieces(bench.context, work([place(standing)]))).results).toEqual([{ failure: 'no such piece' }]);
    expect(await isFree()).toBe(true);
  });

  test('one task that finds the pool busy ends the request and its other tasks', async () => {
    const [first, second] = [await stage(), await stage()];
    const ended: string[] = [];
    bench.check = async ({ piece }, signal) => {
      if (piece.upper[0] === 8) throw new BusyError('too many tasks', 20);
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      ended.push('second');
      throw signal?.reason;
    };
    const both = work([place(first, '0:8,0:16'), place(second)]);
    await expect(checkPieces(bench.context, both)).rejects.toBeInstanceOf(BusyError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual(['second']);
    expect(await isFree()).toBe(true);
  });

  test('ends at its deadline and gives back what it held', async () => {
    const record = await stage();
    bench.check = (_task, signal) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const late = checkPieces(bench.context, work([place(record)], { deadlineMs: 5 }));
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await isFree()).toBe(true);
  });

  test('works on a bounded number of pieces at a time', async () => {
    const record = await stage();
    let running = 0;
    let most = 0;
    bench.check = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return new Uint8Array();
    };
    const pieces = Array.from({ length: 500 }, () => place(record));
    expect((await checkPieces(bench.context, work(pieces))).results).toHaveLength(500);
    expect(most).toBe(64);
    expect(await isFree()).toBe(true);
  });
});
