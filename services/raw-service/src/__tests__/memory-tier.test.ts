import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { extractBox } from '@tidegate/array';
import { parseBox } from '@tidegate/geometry';
import { BadRequestError, BusyError, NotFoundError, type PartitionRecord } from '@tidegate/protocol';
import { Journal } from '../journal.js';
import { MemoryTier } from '../memory-tier.js';
import { nextId, recordingLogger, sampleBytes, sampleRecord } from './partition-samples.js';

let directory: string;
let freed = 0;
const log = recordingLogger();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'memory-tier-'));
  freed = 0;
  log.lines.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function openTier({ limitBytes = 1 << 20, segmentBytes = 256 << 10, bootId = 'boot' } = {}) {
  const { journal, recovered } = Journal.open(join(directory, 'journal'));
  const tier = await MemoryTier.open({
    directory,
    limitBytes,
    segmentBytes,
    journal,
    entries: recovered.entries,
    bootId,
    logger: log.logger,
    onFreed: () => freed++,
  });
  const close = () => {
    tier.close();
    journal.close();
  };
  return { tier, close };
}

/** Byte by byte comparison is what takes Jest's own matchers seconds. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

function put(tier: MemoryTier, record: PartitionRecord) {
  const reservation = tier.reserve(record.bytes);
  if (reservation === undefined) throw new Error('no room');
  reservation.write(0, sampleBytes(record.id, record.bytes));
  tier.commit(reservation, record);
}

describe('MemoryTier', () => {
  test('answers sub-boxes of any kind, and byte ranges', async () => {
    const { tier, close } = await openTier();
    const record = sampleRecord({ box: '10:42,0:32,5:37', dtype: 'float32' });
    put(tier, record);
    const bytes = sampleBytes(record.id, record.bytes);
    for (const text of ['10:42,0:32,5:37', '20:25,0:32,5:37', '11:41,1:31,6:36', '10:42,0:32,6:7', '30:31,7:8,9:10']) {
      const box = parseBox(text);
      expect(same(tier.readBox(record.id, box), extractBox(bytes, record.box, box, 4))).toBe(true);
    }
    expect(same(tier.readBytes(record.id, 100, 50), bytes.slice(100, 150))).toBe(true);
    expect(() => tier.readBox(record.id, parseBox('0:11,0:32,5:37'))).toThrow(BadRequestError);
    expect(() => tier.readBytes(record.id, record.bytes - 1, 2)).toThrow(BadRequestError);
    expect(() => tier.readBox(nextId(), record.box)).toThrow(NotFoundError);
    close();
  });

  test('answers an opaque partition whole and refuses a part of its box', async () => {
    const { tier, close } = await openTier();
    const record = sampleRecord({ box: '0:4,0:4', dtype: 'bytes', bytes: 1001 });
    put(tier, record);
    expect(same(tier.readBox(record.id, record.box), sampleBytes(record.id, 1001))).toBe(true);
    expect(() => tier.readBox(record.id, parseBox('0:2,0:4'))).toThrow(/whole box of an opaque/);
    const empty = sampleRecord({ dtype: 'bytes', bytes: 0 });
    put(tier, empty);
    expect(tier.readBox(empty.id, empty.box)).toHaveLength(0);
    close();
  });

  test('takes a payload in pieces of any order and reads it back before the commit', async () => {
    const { tier, close } = await openTier();
    const record = sampleRecord({});
    const bytes = sampleBytes(record.id, record.bytes);
    const reservation = tier.reserve(record.bytes);
    reservation?.write(1000, bytes.subarray(1000));
    reservation?.write(0, bytes.subarray(0, 1000));
    const target = new Uint8Array(record.bytes);
    reservation?.read(0, target);
    expect(target).toEqual(bytes);
    expect(() => reservation?.write(record.bytes - 1, bytes.subarray(0, 2))).toThrow(RangeError);
    expect(() => reservation?.write(-1, bytes.subarray(0, 2))).toThrow(RangeError);
    expect(tier.get(record.id)).toBeUndefined();
    reservation?.abort();
    reservation?.abort();
    expect([freed, tier.usedBytes]).toEqual([1, 0]);
    expect(() => reservation?.write(0, bytes)).toThrow(/committed or aborted/);
    close();
  });

  test('refuses what has no room, and takes it once room was freed', async () => {
    const { tier, close } = await openTier({ limitBytes: 8192 });
    const records = Array.from({ length: 4 }, () => sampleRecord({}));
    for (const record of records) put(tier, record);
    expect(tier.reserve(1)).toBeUndefined();
    const [first, , third] = records;
    tier.free([first?.id ?? nextId(), third?.id ?? nextId(), first?.id ?? nextId(), nextId()]);
    expect(tier.usedBytes).toBe(4096);
    const scattered = sampleRecord({ box: '0:16,0:32' });
    put(tier, scattered);
    expect(same(tier.readBox(scattered.id, scattered.box), sampleBytes(scattered.id, 4096))).toBe(true);
    expect([...tier.records()]).toHaveLength(3);
    close();
  });

  test('room that is held is not reused before the last release, whatever becomes of its partition', async () => {
    const { tier, close } = await openTier({ limitBytes: 8192, segmentBytes: 8192 });
    const record = sampleRecord({});
    put(tier, record);
    const holds = [tier.hold(record.id), tier.hold(record.id)];
    const [first, second] = holds;
    expect(tier.hold(nextId())).toBeUndefined();
    tier.free([record.id]);
    expect([tier.get(record.id), tier.usedBytes, tier.leavingBytes, freed]).toEqual([undefined, 2048, 2048, 1]);
    const others = [sampleRecord({}), sampleRecord({}), sampleRecord({})];
    for (const other of others) put(tier, other);
    expect(tier.reserve(1)).toBeUndefined();
    const lies = first?.file;
    const file = await readFile(lies?.path ?? '');
    const read = file.subarray(lies?.offset, (lies?.offset ?? 0) + (lies?.bytes ?? 0));
    expect(same(read, sampleBytes(record.id, record.bytes))).toBe(true);
    first?.release();
    first?.release();
    expect(tier.usedBytes).toBe(8192);
    second?.release();
    expect([tier.usedBytes, tier.leavingBytes, freed]).toEqual([6144, 0, 2]);
    const again = sampleRecord({ id: record.id });
    put(tier, again);
    expect(same(tier.readBox(again.id, again.box), sampleBytes(again.id, 2048))).toBe(true);
    for (const other of others) expect(same(tier.readBox(other.id, other.box), sampleBytes(other.id, 2048))).toBe(true);
    close();
  });

  test('a hold without a free changes nothing, and an old hold leaves a later partition of its id alone', async () => {
    const { tier, close } = await openTier({ limitBytes: 8192, segmentBytes: 8192 });
    const record = sampleRecord({});
    put(tier, record);
    tier.hold(record.id)?.release();
    expect([tier.usedBytes, freed]).toEqual([2048, 0]);
    const old = tier.hold(record.id);
    tier.free([record.id]);
    put(tier, record);
    const fresh = tier.hold(record.id);
    expect(fresh?.file?.offset).not.toBe(old?.file?.offset);
    old?.release();
    expect([tier.usedBytes, tier.leavingBytes]).toEqual([2048, 0]);
    tier.free([record.id]);
    expect([tier.usedBytes, tier.leavingBytes]).toEqual([2048, 2048]);
    fresh?.release();
    expect([tier.usedBytes, tier.leavingBytes]).toEqual([0, 0]);
    close();
  });

  test('a partition that lies apart has no one place, and too many holds are refused', async () => {
    const { tier, close } = await openTier({ limitBytes: 8192, segmentBytes: 8192 });
    const records = [sampleRecord({}), sampleRecord({}), sampleRecord({}), sampleRecord({})];
    for (const record of records) put(tier, record);
    tier.free([records[0]?.id ?? nextId(), records[2]?.id ?? nextId()]);
    const scattered = sampleRecord({ box: '0:16,0:32' });
    put(tier, scattered);
    expect(tier.hold(scattered.id)).toMatchObject({ file: undefined });
    for (let i = 1; i < 4096; i++) tier.hold(scattered.id);
    expect(() => tier.hold(scattered.id)).toThrow(BusyError);
    close();
  });

  test('recovers what was committed and nothing else', async () => {
    const first = await openTier();
    const kept = [sampleRecord({}), sampleRecord({ box: '0:100,0:100' })];
    const gone = sampleRecord({});
    for (const record of [...kept, gone]) put(first.tier, record);
    first.tier.free([gone.id]);
    first.tier.reserve(1000)?.write(0, new Uint8Array(10));
    const used = first.tier.usedBytes;
    first.close();
    const second = await openTier();
    expect([...second.tier.records()]).toEqual(kept);
    expect(second.tier.usedBytes).toBe(used - 1024);
    for (const { id, box, bytes } of kept)
      expect(same(second.tier.readBox(id, box), sampleBytes(id, bytes))).toBe(true);
    second.close();
  });

  test('keeps partitions through another configuration', async () => {
    const first = await openTier({ limitBytes: 1 << 20, segmentBytes: 256 << 10 });
    const records = Array.from({ length: 12 }, () => sampleRecord({ box: '0:100,0:100' }));
    for (const record of records) put(first.tier, record);
    first.close();
    for (const options of [
      { limitBytes: 100 << 10, segmentBytes: 64 << 10 },
      { limitBytes: 4 << 20, segmentBytes: 1 << 20 },
    ]) {
      const { tier, close } = await openTier(options);
      for (const { id, box, bytes } of records) expect(same(tier.readBox(id, box), sampleBytes(id, bytes))).toBe(true);
      expect(tier.limitBytes).toBe(options.limitBytes);
      close();
    }
    const last = await openTier();
    last.tier.free(records.map(({ id }) => id));
    last.close();
    const empty = await openTier({ limitBytes: 100 << 10, segmentBytes: 64 << 10 });
    expect(await readdir(directory)).toEqual(['journal', 'segment-0000', 'segment-0001']);
    empty.close();
  });

  test('gives up, and says so, what another start of the host or a missing segment took', async () => {
    const first = await openTier({ limitBytes: 8192, segmentBytes: 4096 });
    const records = [sampleRecord({}), sampleRecord({}), sampleRecord({})];
    for (const record of records) put(first.tier, record);
    first.close();
    await rm(join(directory, 'segment-0000'));
    const second = await openTier({ limitBytes: 8192, segmentBytes: 4096 });
    const left = [...second.tier.records()];
    expect(left.length).toBeLessThan(3);
    expect(log.lines).toMatchObject([
      { level: 50, reason: 'its memory segment is gone', partitions: 3 - left.length },
      {},
    ]);
    for (const { id, box, bytes } of left)
      expect(same(second.tier.readBox(id, box), sampleBytes(id, bytes))).toBe(true);
    second.close();
    const third = await openTier({ limitBytes: 8192, segmentBytes: 4096, bootId: 'another' });
    expect([...third.tier.records()]).toEqual([]);
    expect(third.tier.usedBytes).toBe(0);
    expect(log.lines.at(-1)).toMatchObject({ reason: 'the host was started anew', partitions: left.length });
    third.close();
  });

  test('deletes its segments only when they hold nothing', async () => {
    const { tier, close } = await openTier();
    const record = sampleRecord({});
    put(tier, record);
    close();
    expect((await readdir(directory)).length).toBe(5);
    const second = await openTier();
    second.tier.free([record.id]);
    second.close();
    expect(await readdir(directory)).toEqual(['journal']);
  });

  test('refuses to commit an id twice or a record of another size', async () => {
    const { tier, close } = await openTier();
    const record = sampleRecord({});
    put(tier, record);
    const reservation = tier.reserve(record.bytes);
    if (reservation === undefined) throw new Error('no room');
    expect(() => tier.commit(reservation, record)).toThrow(/expected a new partition/);
    expect(() => tier.commit(reservation, sampleRecord({ box: '0:2' }))).toThrow(/expected a new partition/);
    reservation.abort();
    expect(() => tier.commit(reservation, sampleRecord({}))).toThrow(/and its room/);
    close();
  });
});
