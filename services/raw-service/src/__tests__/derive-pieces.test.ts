import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseBox } from '@tidegate/geometry';
import {
  ConflictError,
  type PartitionId,
  type PartitionRecord,
  type RawId,
  StorageFullError,
} from '@tidegate/protocol';
import { derivePieces } from '../derive-pieces.js';
import type { PartitionStore } from '../partition-store.js';
import type { DeriveWork } from '../task-requests.js';
import { put, StoreBench } from './open-store.js';
import { nextId, sampleRecord } from './partition-samples.js';
import { sampleVariable, TaskBench } from './task-bench.js';

let folders: StoreBench;
let store: PartitionStore;
let bench: TaskBench;
let record: PartitionRecord;

beforeEach(async () => {
  folders = await StoreBench.make();
  folders.policies.set('T', { window: 10, onEvict: 'spill', durability: 'memory' });
  store = await folders.open();
  bench = new TaskBench(store);
  bench.variables.set('T', sampleVariable('T', { shape: [16, 17] }));
  bench.variables.set('U', sampleVariable('U', { shape: [4, 5] }));
  record = sampleRecord({ step: 3 });
  await put(store, record);
});
afterEach(async () => {
  await store.close();
  await folders.remove();
});

const piece = (id: PartitionId = record.id, box = '0:16,0:16') => ({
  id,
  box: parseBox(box),
  raw: 'raw1' as RawId,
  derivedId: nextId(),
});
const work = (pieces: DeriveWork['pieces'], changes: Partial<DeriveWork> = {}): DeriveWork => ({
  transform: { downsample: 4 },
  variable: 'T',
  run: 'default',
  step: 3,
  to: 'U',
  pieces,
  activity: 'action1',
  deadlineMs: 10_000,
  ...changes,
});

describe('derivePieces', () => {
  test('puts what the transform makes, with where it comes from', async () => {
    const pieces = [piece(), piece(record.id, '1:3,0:16'), piece(nextId())];
    const { results } = await derivePieces(bench.context, work(pieces));
    expect(results).toEqual([{ stored: pieces[0]?.derivedId }, { skipped: true }, { gone: true }]);
    expect(bench.puts.map(({ descriptor }) => descriptor)).toEqual([
      {
        variable: 'U',
        run: 'default',
        step: 3,
        box: parseBox('0:4,0:4'),
        id: pieces[0]?.derivedId,
        wait: 2000,
        derivedFrom: [{ run: 'default', variable: 'T', step: 3, box: '0:16,0:16' }],
        activity: 'action1',
      },
    ]);
    await store.remove([record.id]);
    expect(store.use().memory.usedBytes).toBe(0);
  });

  test('a derived partition that is here already is not made again', async () => {
    const derivedId = record.id;
    const again = work([{ ...piece(), derivedId }]);
    expect((await derivePieces(bench.context, again)).results).toEqual([{ stored: derivedId }]);
    expect(bench.transforms).toEqual([]);
  });

  test('says what the target has to be', async () => {
    const refused = async (changes: Partial<DeriveWork>) =>
      (await derivePieces(bench.context, work([piece(), piece()], changes))).results;
    const misfit = {
      failure: 'expected variable "U" to be float64 of 8 x 9, as the transform makes it of "T", got float64 of 4 x 5',
      retryable: false,
    };
    expect(await refused({ transform: { downsample: 2 } })).toEqual([misfit, misfit]);
    expect((await refused({ transform: { threshold: { above: 0 } } }))[0]).toMatchObject({
      failure: expect.stringMatching(/to be bool of 16 x 17/),
    });
    expect((await refused({ to: 'V' }))[0]).toEqual({
      failure: expect.stringMatching(/"V" is not declared/),
      retryable: false,
    });
    expect(bench.transforms).toEqual([]);
  });

  test('a put that fails is a failure of its piece, which says whether to try again', async () => {
    const storage = {
      retryAfterMs: 1,
      state: 'full',
      limit: 'memory',
      usedBytes: 1,
      limitBytes: 1,
      needBytes: 1,
    } as const;
    const errors = [new StorageFullError('no room', storage), new ConflictError('rolled back'), new Error('bug')];
    for (const error of errors) {
      bench.put = async () => {
        throw error;
      };
      const { results } = await derivePieces(bench.context, work([piece()]));
      expect(results).toEqual([{ failure: error.message, retryable: error === errors[0] }]);
    }
    bench.put = async () => {
      await store.remove([record.id]);
      throw new Error('unreadable');
    };
    expect((await derivePieces(bench.context, work([piece()]))).results).toEqual([{ gone: true }]);
    expect(store.use().memory.usedBytes).toBe(0);
  });

  test('hands on the module of a user', async () => {
    const digest = `sha256:${'b'.repeat(64)}`;
    bench.variables.set('U', sampleVariable('U', { shape: [16, 17] }));
    await derivePieces(bench.context, work([piece()], { transform: { wasm: { digest, export: 'f' } } }));
    expect([...(bench.transforms[0]?.kernels?.keys() ?? [])]).toEqual([digest]);
  });
});
