import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, PartitionRecord } from '@tidegate/protocol';
import {
  BadRequestError,
  ConflictError,
  NotFoundError,
  StorageFullError,
  TooLargeError,
  UnavailableError,
} from '@tidegate/protocol';
import type { EvictionPolicy } from '../eviction.js';
import { isWhole, put, StoreBench } from './open-store.js';
import { nextId, sampleBytes, sampleRecord } from './partition-samples.js';

const SPILL: EvictionPolicy = { window: 10, onEvict: 'spill', durability: 'memory' };
const DROP: EvictionPolicy = { window: 2, onEvict: 'drop', durability: 'memory' };
/** 64 KiB. */
const BOX = '0:64,0:128';
const BYTES = 64 << 10;
const WAIT = { waitMs: 20_000 };

let bench: StoreBench;

beforeEach(async () => {
  bench = await StoreBench.make();
  bench.policies.set('T', SPILL);
  bench.policies.set('D', DROP);
});
afterEach(() => bench.remove());

describe('PartitionStore', () => {
  test('1,000 steps of a window of 10 go through memory for 12, and all are readable', async () => {
    const store = await bench.open({ memoryBytes: 12 * BYTES });
    const records = Array.from({ length: 1000 }, (_, step) => sampleRecord({ step, box: BOX }));
    for (const record of records) await put(store, record, WAIT);
    await bench.when(() => bench.spilled.length === 990);
    for (const record of records) expect(await isWhole(store, record)).toBe(true);
    expect(bench.spilled.map(({ step }) => step)).toEqual(records.slice(0, 990).map(({ step }) => step));
    expect(records.map(({ id }) => store.get(id)?.tier)).toEqual([
      ...Array(990).fill('disk'),
      ...Array(10).fill('memory'),
    ]);
    expect(store.use().memory).toEqual({ usedBytes: 10 * BYTES, limitBytes: 12 * BYTES });
    expect([...store.records()].map(({ record }) => record.step).sort((a, b) => a - b)).toEqual(
      records.map(({ step }) => step),
    );
    await store.close();
  }, 60_000);

  test('a window that drops never runs out of room, and says up to where it dropped', async () => {
    const store = await bench.open({ memoryBytes: 4 * BYTES });
    const records = Array.from({ length: 300 }, (_, step) => sampleRecord({ variable: 'D', step, box: BOX }));
    for (const record of records) await put(store, record, WAIT);
    await bench.when(() => bench.dropped.length === 298);
    expect(store.use().memory.usedBytes).toBe(2 * BYTES);
    expect(store.use().disk.usedBytes).toBe(0);
    expect(bench.dropped.every(({ step, floor }) => step < floor)).toBe(true);
    expect(store.floors()).toEqual([{ variable: 'D', run: 'default', floor: 298 }]);
    expect(store.has(records[297]?.id ?? '')).toBe(false);
    for (const record of records.slice(298)) expect(await isWhole(store, record)).toBe(true);
    await store.close();
    const again = await bench.open({ memoryBytes: 4 * BYTES });
    expect(again.floors()).toEqual([{ variable: 'D', run: 'default', floor: 298 }]);
    expect([...again.records()].map(({ record }) => record)).toEqual(records.slice(298));
    await again.close();
  });

  test('pinned steps stay until they are unpinned: full, then a waiting put goes on', async () => {
    const store = await bench.open({ memoryBytes: 4 * BYTES });
    for (let step = 0; step < 5; step++) bench.pins.add(`D.default.${step}`);
    const records = [0, 1, 2].map((step) => sampleRecord({ variable: 'D', step, box: BOX }));
    for (const record of records) await put(store, record);
    const next = sampleRecord({ variable: 'D', step: 3, box: BOX });
    await expect(put(store, next)).rejects.toThrow(StorageFullError);
    await expect(put(store, next)).rejects.toMatchObject({
      storage: { limit: 'memory', usedBytes: 3 * BYTES, limitBytes: 4 * BYTES, needBytes: BYTES },
    });
    const waiting = put(store, next, WAIT);
    expect(store.use().state).toBe('full');
    expect(bench.dropped).toEqual([]);
    bench.pins.clear();
    store.recheck();
    await waiting;
    await bench.when(() => bench.dropped.length === 2);
    expect(bench.states.at(0)).toBe('full');
    expect(store.use().state).toBe('ok');
    expect([...store.records()].map(({ record }) => record.step)).toEqual([2, 3]);
    await store.close();
  });

  test('pressure spills inside windows, whatever their policy, and loses nothing', async () => {
    bench.policies.set('D', { ...DROP, window: 100 });
    bench.policies.set('T', { ...SPILL, window: 100 });
    const store = await bench.open({ memoryBytes: 10 * BYTES });
    const records = Array.from({ length: 60 }, (_, i) =>
      sampleRecord({ variable: i % 2 ? 'D' : 'T', step: i >> 1, box: BOX }),
    );
    for (const record of records) await put(store, record, WAIT);
    for (const record of records) expect(await isWhole(store, record)).toBe(true);
    expect(bench.dropped).toEqual([]);
    expect(store.use().memory.usedBytes).toBeLessThanOrEqual(9.5 * BYTES);
    await store.close();
  });

  test('a step that was spilled under pressure is dropped from disk when it leaves its window', async () => {
    bench.policies.set('D', { ...DROP, window: 8 });
    const store = await bench.open({ memoryBytes: 4 * BYTES });
    for (let step = 0; step < 30; step++) await put(store, sampleRecord({ variable: 'D', step, box: BOX }), WAIT);
    await bench.when(() => bench.dropped.length === 22);
    expect([...store.records()].map(({ record }) => record.step).sort((a, b) => a - b)).toEqual([
      22, 23, 24, 25, 26, 27, 28, 29,
    ]);
    await store.close();
  });

  test('a refused put is a reason to spill, so that its repetition finds room', async () => {
    bench.policies.set('T', { ...SPILL, window: 100 });
    const store = await bench.open({ memoryBytes: 16 * BYTES });
    for (let step = 0; step < 13; step++) await put(store, sampleRecord({ step, box: BOX }));
    const large = sampleRecord({ step: 13, box: '0:64,0:512' });
    await expect(put(store, large)).rejects.toThrow(StorageFullError);
    await bench.when(() => bench.spilled.length >= 2);
    await put(store, large);
    await expect(store.reserve(16 * BYTES, { waitMs: 0 })).rejects.toThrow(TooLargeError);
    await store.close();
  });

  test('reads never notice a spill', async () => {
    bench.policies.set('T', { ...SPILL, window: 1 });
    const store = await bench.open({ memoryBytes: 40 * BYTES });
    const records = Array.from({ length: 30 }, () => sampleRecord({ step: 0, box: BOX }));
    for (const record of records) await put(store, record);
    await put(store, sampleRecord({ step: 1, box: BOX }));
    let reads = 0;
    for (let spilled = false; !spilled; reads++) {
      spilled = bench.spilled.length === 30;
      const tiers = records.map(({ id }) => store.get(id)?.tier);
      expect(tiers).not.toContain(undefined);
      expect(await Promise.all(records.map((record) => isWhole(store, record)))).not.toContain(false);
      // Reads from memory are done within their turn and would keep the event loop to themselves.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(reads).toBeGreaterThan(1);
    await store.close();
  });

  test('removes from every tier, also while a spill is under way, and for good', async () => {
    bench.policies.set('T', { ...SPILL, window: 1 });
    const store = await bench.open();
    const durable = sampleRecord({ step: 5, box: BOX });
    await put(store, durable, { durable: true });
    const early = Array.from({ length: 8 }, () => sampleRecord({ step: 0, box: BOX }));
    for (const record of early) await put(store, record);
    const ids = [...early.slice(0, 4), durable].map(({ id }) => id);
    const [first, second] = await Promise.all([store.remove(ids), store.remove(ids)]);
    expect(first.partitions + second.partitions).toBe(5);
    expect(first.bytes + second.bytes).toBe(5 * BYTES);
    expect(await store.remove([...ids, nextId()])).toEqual({ partitions: 0, bytes: 0, records: [] });
    expect(() => store.read(durable.id, durable.box)).toThrow(NotFoundError);
    await bench.when(() => bench.spilled.length >= 4);
    for (const record of early.slice(4)) expect(await isWhole(store, record)).toBe(true);
    await store.remove(early.map(({ id }) => id));
    expect([...store.records()]).toEqual([]);
    expect(store.use()).toMatchObject({ memory: { usedBytes: 0 }, disk: { usedBytes: 0 } });
    await store.close();
    expect(existsSync(bench.memoryDir)).toBe(false);
    const again = await bench.open();
    expect([...again.records()]).toEqual([]);
    await again.close();
  });

  test('a durable put is on disk when it returns, stays in memory, and survives the loss of memory', async () => {
    const first = await bench.open();
    const records = Array.from({ length: 12 }, (_, i) => sampleRecord({ step: i % 3, box: BOX }));
    await Promise.all(
      records.map(async (record) => {
        await put(first, record, { durable: true });
        expect(await readdir(join(bench.dataDir, 'T', 'default', String(record.step)))).toContain(`${record.id}.json`);
        expect(first.get(record.id)?.tier).toBe('memory');
      }),
    );
    expect([...first.records()]).toHaveLength(12);
    await first.close();
    const second = await bench.open();
    expect([...second.records()].map(({ tier }) => tier)).toEqual(Array(12).fill('memory'));
    await second.close();
    await rm(bench.memoryDir, { recursive: true });
    const third = await bench.open();
    expect([...third.records()].map(({ tier }) => tier)).toEqual(Array(12).fill('disk'));
    for (const record of records) expect(await isWhole(third, record)).toBe(true);
    await third.close();
  });

  test('what is durable already just leaves memory', async () => {
    bench.policies.set('T', { ...SPILL, window: 1, durability: 'durable' });
    const store = await bench.open();
    const record = sampleRecord({ step: 0, box: BOX });
    await put(store, record, { durable: true });
    const { usedBytes } = store.use().disk;
    await put(store, sampleRecord({ step: 1, box: BOX }));
    await bench.when(() => bench.spilled.length === 1);
    expect(store.use().disk.usedBytes).toBe(usedBytes);
    expect(store.get(record.id)?.tier).toBe('disk');
    expect(await isWhole(store, record)).toBe(true);
    await store.close();
  });

  test('a spill that fails keeps everything in memory, says so, and succeeds later', async () => {
    bench.policies.set('T', { ...SPILL, window: 1 });
    const store = await bench.open({ memoryBytes: 4 * BYTES });
    await writeFile(join(bench.dataDir, 'T'), 'a file where a folder has to be');
    const records = [0, 1, 2].map((step) => sampleRecord({ step, box: BOX }));
    for (const record of records) await put(store, record);
    const next = sampleRecord({ step: 3, box: BOX });
    const refused = await put(store, next, { waitMs: 300 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'STORAGE_FULL', storage: { limit: 'disk' } });
    expect(bench.log.lines.some(({ msg }) => msg === 'spilling failed; the partitions stay in memory')).toBe(true);
    for (const record of records) expect(await isWhole(store, record)).toBe(true);
    await rm(join(bench.dataDir, 'T'));
    await put(store, next, WAIT);
    for (const record of [...records, next]) expect(await isWhole(store, record)).toBe(true);
    await store.close();
  });

  test('a full disk keeps durable puts out, and memory once nothing can be spilled; a deletion brings both back', async () => {
    bench.policies.set('T', { ...SPILL, window: 1 });
    const store = await bench.open({ memoryBytes: 4 * BYTES, diskBytes: 3 * BYTES });
    const records = [0, 1, 2, 3, 4].map((step) => sampleRecord({ step, box: BOX }));
    for (const record of records) await put(store, record, WAIT);
    await bench.when(() => bench.spilled.length === 2);
    const next = sampleRecord({ step: 5, box: BOX });
    await expect(put(store, next, { durable: true })).rejects.toMatchObject({ storage: { limit: 'disk' } });
    const refused = await put(store, next, { waitMs: 200 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'STORAGE_FULL', storage: { limit: 'disk', limitBytes: 3 * BYTES } });
    const waiting = put(store, next, WAIT);
    await store.remove(records.slice(0, 2).map(({ id }) => id));
    await waiting;
    for (const record of [...records.slice(2), next]) expect(await isWhole(store, record)).toBe(true);
    await store.close();
  });

  test('after a rollback the lower steps are the newest', async () => {
    const store = await bench.open();
    const old = Array.from({ length: 6 }, (_, step) => sampleRecord({ variable: 'D', step: step + 90 }));
    for (const record of old) await put(store, record);
    await bench.when(() => bench.dropped.length === 4);
    await store.remove(old.map(({ id }) => id));
    const anew = [50, 51, 52].map((step) => ({ ...sampleRecord({ variable: 'D', step }), epoch: 1 as Epoch }));
    for (const record of anew) await put(store, record);
    expect(store.seenStep('D', 'default', 96, 0)).toBe(false);
    await bench.when(() => bench.dropped.length === 5);
    expect([...store.records()].map(({ record }) => record.step)).toEqual([51, 52]);
    expect(store.floors()).toEqual([{ variable: 'D', run: 'default', floor: 51 }]);
    await store.close();
  });

  test('a step that others tell of moves the window', async () => {
    const store = await bench.open();
    await put(store, sampleRecord({ variable: 'D', step: 1 }));
    expect([store.seenStep('D', 'default', 2), store.seenStep('D', 'default', 2)]).toEqual([true, false]);
    expect(store.seenStep('D', 'default', 3)).toBe(true);
    await bench.when(() => bench.dropped.length === 1);
    expect(bench.dropped).toEqual([{ step: 1, floor: 2 }]);
    expect(store.seenStep('X', 'default', 3)).toBe(false);
    await store.close();
  });

  test('tells its state as it changes', async () => {
    bench.policies.clear();
    bench.pins.add('T.default.0');
    const store = await bench.open({ memoryBytes: 100 * 4096 });
    const records = Array.from({ length: 95 }, () => sampleRecord({ box: '0:512' }));
    for (const record of records) await put(store, record);
    await expect(put(store, sampleRecord({ box: '0:512' }))).rejects.toThrow(StorageFullError);
    await store.remove(records.slice(0, 5).map(({ id }) => id));
    await expect(put(store, sampleRecord({ box: '0:1' }))).rejects.toThrow(StorageFullError);
    await store.remove(records.slice(5, 6).map(({ id }) => id));
    await put(store, sampleRecord({ box: '0:1' }));
    await store.remove(records.slice(6, 20).map(({ id }) => id));
    expect(bench.states).toEqual(['nearfull', 'full', 'nearfull', 'ok']);
    await store.close();
  });

  test('refuses what makes no sense', async () => {
    const store = await bench.open();
    const record = sampleRecord({});
    await put(store, record);
    await expect(put(store, record)).rejects.toThrow(ConflictError);
    expect(() => store.readBytes(record.id, 0, record.bytes + 1)).toThrow(BadRequestError);
    expect(() => store.read(nextId(), record.box)).toThrow(NotFoundError);
    await expect(bench.open()).rejects.toThrow(/has it open/);
    const reservation = await store.reserve(100, { waitMs: 0 });
    store.abort(reservation);
    expect(store.use().memory.usedBytes).toBe(record.bytes);
    const closing = store.close();
    await expect(store.reserve(100, { waitMs: 0 })).rejects.toThrow(UnavailableError);
    await closing;
  });

  test('keeps through a restart what was spilled, what was not, and each partition once', async () => {
    bench.policies.set('T', { ...SPILL, window: 3 });
    const first = await bench.open();
    const records = Array.from({ length: 10 }, (_, step) => sampleRecord({ step, box: BOX }));
    for (const record of records) await put(first, record);
    await bench.when(() => bench.spilled.length === 7);
    await first.close();
    const second = await bench.open();
    expect([...second.records()].map(({ record, tier }) => `${record.step} ${tier}`).sort()).toEqual(
      records.map(({ step }) => `${step} ${step < 7 ? 'disk' : 'memory'}`),
    );
    for (const record of records) expect(await isWhole(second, record)).toBe(true);
    await put(second, sampleRecord({ step: 10, box: BOX }));
    await bench.when(() => bench.spilled.length === 8);
    await second.close();
  });

  test('what is held stays readable in its file through a spill and a deletion, and its room comes back after', async () => {
    const store = await bench.open({ memoryBytes: 4 * BYTES });
    bench.policies.set('T', { ...SPILL, window: 1 });
    const records = [0, 1].map((step) => sampleRecord({ step, box: BOX }));
    const [old, newest] = records as [PartitionRecord, PartitionRecord];
    await put(store, old);
    const hold = store.hold(old.id);
    expect(hold?.record).toBe(old);
    await put(store, newest);
    await bench.when(() => bench.spilled.length === 1);
    expect(store.get(old.id)?.tier).toBe('disk');
    expect(store.use().memory.usedBytes).toBe(2 * BYTES);
    const onDisk = store.hold(old.id);
    expect(onDisk?.file?.path).toMatch(/\.npy$/);
    await store.remove([old.id, newest.id]);
    expect(store.hold(old.id)).toBeUndefined();
    const lies = hold?.file ?? { path: '', offset: 0, bytes: 0 };
    const bytes = (await readFile(lies.path)).subarray(lies.offset, lies.offset + lies.bytes);
    expect(Buffer.compare(bytes, sampleBytes(old.id, old.bytes))).toBe(0);
    hold?.release();
    onDisk?.release();
    expect(store.use().memory.usedBytes).toBe(0);
    await store.close();
  });

  test('room that is leaving under a hold is no reason to spill more', async () => {
    const store = await bench.open({ memoryBytes: 4 * BYTES });
    const records = [0, 1, 2].map((step) => sampleRecord({ step, box: BOX }));
    const [first] = records as [PartitionRecord, PartitionRecord, PartitionRecord];
    for (const record of records) await put(store, record);
    const hold = store.hold(first.id);
    const next = sampleRecord({ step: 3, box: BOX });
    const waiting = put(store, next, WAIT);
    await bench.when(() => bench.spilled.length === 1);
    expect(bench.spilled).toEqual([first]);
    await store.persist([]);
    hold?.release();
    await waiting;
    expect(bench.spilled).toEqual([first]);
    await store.close();
  });

  test('a window that drops keeps what a trigger may decide, under pressure on disk, until it is decided', async () => {
    const store = await bench.open({ memoryBytes: 6 * BYTES });
    const records = Array.from({ length: 12 }, (_, step) => sampleRecord({ variable: 'D', step, box: BOX }));
    for (let step = 0; step < 6; step += 2) bench.undecided.add(`D.default.${step}`);
    for (const record of records) await put(store, record, WAIT);
    await bench.when(() => bench.dropped.length === 7);
    expect(bench.dropped.map(({ step }) => step)).toEqual([1, 3, 5, 6, 7, 8, 9]);
    for (const record of records.filter(({ step }) => step < 6 && step % 2 === 0))
      expect(await isWhole(store, record)).toBe(true);
    bench.undecided.clear();
    store.reconsider('D', 'default');
    await bench.when(() => bench.dropped.length === 10);
    expect([...store.records()].map(({ record }) => record.step)).toEqual([10, 11]);
    await store.close();
  });

  test('persists and stays in memory', async () => {
    const store = await bench.open();
    const record = sampleRecord({ box: BOX });
    await put(store, record);
    const unknown = nextId();
    expect(await store.persist([record.id, unknown])).toEqual({ persisted: [record.id], gone: [unknown] });
    expect(store.get(record.id)?.tier).toBe('memory');
    await store.close();
    await rm(bench.memoryDir, { recursive: true });
    const again = await bench.open();
    expect(await isWhole(again, record)).toBe(true);
    await again.close();
  });
});
