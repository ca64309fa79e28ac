import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { extractBox } from '@tidegate/array';
import { parseBox } from '@tidegate/geometry';
import { BadRequestError, type PartitionRecord, type RawId, UnavailableError } from '@tidegate/protocol';
import { holdPiece, holdPieces } from '../held-piece.js';
import type { PartitionStore } from '../partition-store.js';
import { put, StoreBench } from './open-store.js';
import { nextId, sampleBytes, sampleRecord } from './partition-samples.js';
import { TaskBench } from './task-bench.js';

let folders: StoreBench;
let store: PartitionStore;
let bench: TaskBench;

beforeEach(async () => {
  folders = await StoreBench.make();
  folders.policies.set('T', { window: 10, onEvict: 'spill', durability: 'memory' });
  store = await folders.open({ memoryBytes: 64 << 10 });
  bench = new TaskBench(store);
});
afterEach(async () => {
  await store.close();
  await folders.remove();
});

const piece = (record: PartitionRecord, box: string, raw = 'raw1') => ({
  id: record.id,
  box: parseBox(box),
  raw: raw as RawId,
});

describe('holdPiece', () => {
  test('gives the whole partition in its file, held until the release', async () => {
    const record = sampleRecord({});
    await put(store, record);
    const held = await holdPiece(bench.context, piece(record, '0:4,0:16'), 'T');
    expect(held).toMatchObject({ record, data: { box: record.box, file: { bytes: record.bytes } } });
    await store.remove([record.id]);
    expect(store.use().memory.usedBytes).toBe(record.bytes);
    held?.release();
    expect(store.use().memory.usedBytes).toBe(0);
  });

  test('gives the bytes of the piece where the partition lies apart', async () => {
    const small = Array.from({ length: 29 }, () => sampleRecord({}));
    for (const record of small) await put(store, record);
    await store.remove(small.flatMap(({ id }, at) => (at % 2 === 1 ? [id] : [])));
    const record = sampleRecord({ box: '0:32,0:32' });
    await put(store, record);
    const box = parseBox('3:30,5:7');
    const held = await holdPiece(bench.context, piece(record, '3:30,5:7'), 'T');
    const expected = extractBox(sampleBytes(record.id, record.bytes), record.box, box, 8);
    expect(held?.data).toMatchObject({ box });
    expect(held && 'bytes' in held.data && Buffer.compare(held.data.bytes, expected)).toBe(0);
    held?.release();
  });

  test('waits for a put that is about to be acknowledged; what is not here then is gone', async () => {
    const record = sampleRecord({});
    bench.settle = () => put(store, record);
    const held = await holdPiece(bench.context, piece(record, '0:16,0:16'), 'T');
    expect(held?.record).toBe(record);
    held?.release();
    bench.settle = async () => undefined;
    const unknown = sampleRecord({});
    expect(await holdPiece(bench.context, piece(unknown, '0:16,0:16'), 'T')).toBeUndefined();
    expect(bench.settled).toEqual([record.id, unknown.id]);
  });

  test('refuses what is no part of it, and holds nothing then', async () => {
    const record = sampleRecord({});
    await put(store, record);
    for (const [box, variable] of [
      ['0:17,0:16', 'T'],
      ['0:16', 'T'],
      ['0:16,0:16', 'U'],
    ] as const) {
      await expect(holdPiece(bench.context, piece(record, box), variable)).rejects.toBeInstanceOf(BadRequestError);
    }
    await store.remove([record.id]);
    expect(store.use().memory.usedBytes).toBe(0);
  });
});

describe('holdPieces', () => {
  const options = { variable: 'T', itemSize: 8, signal: new AbortController().signal };

  test('holds its own and reads those of others in chunks', async () => {
    const record = sampleRecord({});
    await put(store, record);
    const far = { id: nextId(), box: parseBox('8:16,0:32'), raw: 'raw2' as RawId };
    bench.remote = async () => new Uint8Array(1024);
    const held = await holdPieces(bench.context, [piece(record, '0:8,0:16'), far], options);
    expect(bench.remoteReads).toEqual([`raw2 ${far.id} 8:12,0:32`, `raw2 ${far.id} 12:16,0:32`]);
    expect(held?.data).toMatchObject([
      { box: record.box, piece: parseBox('0:8,0:16'), file: {} },
      { box: parseBox('8:12,0:32') },
      { box: parseBox('12:16,0:32') },
    ]);
    await store.remove([record.id]);
    expect(store.use().memory.usedBytes).toBe(record.bytes);
    held?.release();
    expect(store.use().memory.usedBytes).toBe(0);
  });

  test('holds nothing where one is gone, here or elsewhere, or cannot be had', async () => {
    const record = sampleRecord({});
    await put(store, record);
    const gone = piece(sampleRecord({}), '0:8,0:16');
    const near = piece(record, '0:8,0:16');
    expect(await holdPieces(bench.context, [near, gone], options)).toBeUndefined();
    expect(await holdPieces(bench.context, [near, { ...gone, raw: 'raw2' as RawId }], options)).toBeUndefined();
    bench.remote = async () => {
      throw new UnavailableError('raw2 does not answer', 100);
    };
    const unreachable = holdPieces(bench.context, [near, { ...gone, raw: 'raw2' as RawId }], options);
    await expect(unreachable).rejects.toBeInstanceOf(UnavailableError);
    await store.remove([record.id]);
    expect(store.use().memory.usedBytes).toBe(0);
  });
});
