import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { monotonicNow } from '@tidegate/bus';
import { makeBox, type ShardMap } from '@tidegate/geometry';
import { type DeleteReply, PUBLIC, type VariableListReply, type VariableRecord } from '@tidegate/protocol';
import { Cluster } from './cluster.js';
import type { FakeRaw } from './fake-raw.js';
import { ulid } from './painted.js';

let cluster: Cluster;
let raw: FakeRaw;
let other: FakeRaw;

beforeAll(async () => {
  ({ cluster, raw, other } = await Cluster.ofTwo());
});

afterAll(() => cluster.end());

const put: Cluster['put'] = (...put) => cluster.put(...put);
const query: Cluster['query'] = (...asked) => cluster.query(...asked);
const steps: Cluster['steps'] = (...asked) => cluster.steps(...asked);

describe('variables', () => {
  test('are declared with defaults, answered, listed by name', async () => {
    await cluster.declare('v2', [4, 4]);
    const record = await cluster.request<VariableRecord>(PUBLIC.declare, {
      name: 'v1',
      dtype: 'int8',
      shape: [7],
      window: 3,
    });
    expect(record).toMatchObject({
      name: 'v1',
      dtype: 'int8',
      shape: [7],
      window: 3,
      onEvict: 'spill',
      durability: 'memory',
      annotation: 'optional',
      shards: 16,
    });
    expect(await cluster.request(PUBLIC.variableGet, { name: 'v1' })).toEqual(record);
    const { variables } = await cluster.request<VariableListReply>(PUBLIC.variableList, {});
    expect(variables.map(({ name }) => name)).toEqual(['v1', 'v2']);
  });

  test('the same declaration is answered with the standing record, another one is refused with it', async () => {
    const declaration = { name: 'same', dtype: 'float32', shape: [3, 3] };
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => cluster.request<VariableRecord>(PUBLIC.declare, declaration)),
    );
    expect(new Set(replies.map((reply) => reply.createdAt)).size).toBe(1);
    await expect(cluster.request(PUBLIC.declare, { ...declaration, window: 4 })).rejects.toMatchObject({
      code: 'CONFLICT',
      standing: replies[0],
    });
  });

  test('malformed and unknown ones are refused', async () => {
    await expect(cluster.request(PUBLIC.declare, { name: 'x', dtype: 'float128', shape: [1] })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      field: 'dtype',
    });
    await expect(
      cluster.request(PUBLIC.declare, { name: 'x', dtype: 'int8', shape: [1], colour: 1 }),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST', field: 'colour' });
    await expect(cluster.request(PUBLIC.variableGet, { name: 'nix' })).rejects.toMatchObject({
      code: 'UNKNOWN_VARIABLE',
    });
    await expect(cluster.request(PUBLIC.variableDelete, { name: 'nix' })).rejects.toMatchObject({
      code: 'UNKNOWN_VARIABLE',
    });
    await expect(query('nix', 0)).rejects.toMatchObject({ code: 'UNKNOWN_VARIABLE' });
  });

  test('a deleted one is gone with its partitions and pins, and can be declared anew', async () => {
    await cluster.declare('gone', [8, 8]);
    await put(raw, 'gone', 0, '0:8,0:4');
    await put(other, 'gone', 1, '0:8,0:8', { run: 'second' });
    await cluster.request(PUBLIC.pin, { variable: 'gone', steps: 0 });
    expect(await cluster.request<DeleteReply>(PUBLIC.variableDelete, { name: 'gone' })).toEqual({
      partitions: 2,
      bytes: 16,
    });
    await expect(query('gone', 0)).rejects.toMatchObject({ code: 'UNKNOWN_VARIABLE' });
    expect([...raw.entries.values()].filter((entry) => entry.variable === 'gone')).toEqual([]);
    await expect(put(raw, 'gone', 2, '0:8,0:8')).rejects.toThrow('superseded');
    for (const [id, entry] of raw.entries) if (entry.variable === 'gone') raw.entries.delete(id);
    await cluster.declare('gone', [6]);
    expect(await query('gone', 0)).toMatchObject({ covered: false, missing: ['0:6'], missingCount: 1 });
    await put(raw, 'gone', 0, '0:6');
    expect(await steps('gone')).toEqual({
      steps: [{ step: 0, covered: true, partitions: 1, bytes: 8, tier: 'memory', pinned: false }],
    });
  });
});

describe('query', () => {
  test('joins the pieces of a partition that several shards told', async () => {
    await cluster.declare('q', [64, 64]);
    const entry = await put(raw, 'q', 0, '0:64,0:64');
    const reply = await query('q', 0);
    expect(reply).toEqual({
      covered: true,
      epoch: 0,
      pieces: [{ id: entry.id, box: '0:64,0:64', bytes: 64 * 64 * 8, rawService: 'raw-a', tier: 'memory' }],
      missing: [],
      missingCount: 0,
    });
    const newer = await put(other, 'q', 0, '10:20,10:20');
    const again = await query('q', 0);
    expect(again.pieces.filter((piece) => piece.id === newer.id)).toEqual([
      { id: newer.id, box: '10:20,10:20', bytes: 800, rawService: 'raw-b', tier: 'memory' },
    ]);
    expect(again.pieces.reduce((sum, piece) => sum + piece.bytes, 0)).toBe(64 * 64 * 8);
    expect((await query('q', 0, { box: '12:14,12:14' })).pieces).toHaveLength(1);
  });

  test('says what is missing, as few boxes', async () => {
    await cluster.declare('half', [64, 64]);
    await put(raw, 'half', 0, '0:64,0:32');
    const reply = await query('half', 0);
    expect(reply).toMatchObject({ covered: false, missing: ['0:64,32:64'], missingCount: 1 });
    expect(await query('half', 0, { box: { lower: [0, 0], upper: [64, 32] } })).toMatchObject({
      covered: true,
      missingCount: 0,
    });
  });

  test('refuses boxes that are not of the domain', async () => {
    await cluster.declare('dom', [10, 10]);
    await expect(query('dom', 0, { box: '0:11,0:10' })).rejects.toMatchObject({
      code: 'OUT_OF_DOMAIN',
      shape: [10, 10],
    });
    await expect(query('dom', 0, { box: '0:10' })).rejects.toMatchObject({ code: 'BAD_REQUEST', field: 'box' });
    await expect(query('dom', 0, { box: '5:5,0:1' })).rejects.toMatchObject({ code: 'BAD_REQUEST', field: 'box' });
  });

  test('with a wait answers when covered, and with what there is when the wait ends', async () => {
    await cluster.declare('late', [32, 32]);
    await put(raw, 'late', 5, '0:32,0:16');
    const started = monotonicNow();
    expect(await query('late', 5, { wait: 150 })).toMatchObject({ covered: false, missingCount: 1 });
    expect(monotonicNow() - started).toBeGreaterThan(140);
    const waiting = query('late', 5, { wait: 10_000 });
    await put(raw, 'late', 5, '0:32,16:32');
    expect((await waiting).covered).toBe(true);
  });

  test('plans more pieces than one message of a shard has, and refuses more than one reply has', async () => {
    await cluster.declare('many', [20_000]);
    for (let from = 0; from < 4500; from += 500) {
      const cells = Array.from({ length: 500 }, (_, i) => from + i);
      await Promise.all(cells.map((at) => put(raw, 'many', 0, `${at}:${at + 1}`)));
    }
    const reply = await query('many', 0, { box: '0:3000' });
    expect(reply.covered).toBe(true);
    expect(reply.pieces).toHaveLength(3000);
    await expect(query('many', 0, { box: '0:4500' })).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test('names opaque objects whole and once', async () => {
    await cluster.declare('mesh', [64, 64], { dtype: 'bytes' });
    const a = await put(raw, 'mesh', 0, '0:64,0:40', { bytes: 1234 });
    const b = await put(other, 'mesh', 0, '0:64,30:64', { bytes: 99 });
    const reply = await query('mesh', 0, { box: '0:64,10:50' });
    expect(reply.covered).toBe(true);
    expect(reply.pieces.map(({ id, box, bytes }) => ({ id, box, bytes }))).toEqual(
      expect.arrayContaining([
        { id: a.id, box: '0:64,0:40', bytes: 1234 },
        { id: b.id, box: '0:64,30:64', bytes: 99 },
      ]),
    );
    expect(reply.pieces).toHaveLength(2);
  });
});

describe('steps', () => {
  test('are told with what is staged of each, over all shards', async () => {
    await cluster.declare('s', [64, 64]);
    await put(raw, 's', 3, '0:64,0:64');
    await put(raw, 's', 1, '0:64,0:32', { tier: 'disk' });
    await put(other, 's', 1, '0:32,32:64');
    expect(await steps('s')).toEqual({
      steps: [
        { step: 1, covered: false, partitions: 2, bytes: 16, tier: 'disk', pinned: false },
        { step: 3, covered: true, partitions: 1, bytes: 8, tier: 'memory', pinned: false },
      ],
    });
    expect((await steps('s', { after: 1 })).steps.map(({ step }) => step)).toEqual([3]);
    expect(await steps('s', { run: 'other' })).toEqual({ steps: [] });
  });

  test('a wait ends with the message that completes a step, whatever the order of the shards', async () => {
    const map = await cluster.declare('w', [32, 32]);
    await put(raw, 'w', 0, '0:32,0:32');
    for (const step of [1, 2, 3]) {
      const waiting = steps('w', { after: step - 1, wait: 10_000 });
      const shards = map.touched.toReversed();
      for (const shard of shards)
        for (const box of map.cellsOf(shard))
          await put(raw, 'w', step, `${box.lower[0]}:${box.upper[0]},${box.lower[1]}:${box.upper[1]}`);
      const completed = monotonicNow();
      const reply = await waiting;
      expect(monotonicNow() - completed).toBeLessThan(250);
      expect(reply.steps).toMatchObject([{ step, covered: true }]);
    }
  });

  test('a wait without a covered step ends in time with what there is', async () => {
    await cluster.declare('never', [32, 32]);
    await put(raw, 'never', 4, '0:32,0:31');
    const started = monotonicNow();
    expect((await steps('never', { wait: 200 })).steps).toMatchObject([{ step: 4, covered: false }]);
    expect(monotonicNow() - started).toBeGreaterThan(190);
  });
});

describe('pins', () => {
  test('are set for steps to come by number, for staged ones by range, and are told', async () => {
    await cluster.declare('p', [16]);
    for (const step of [1, 2, 5]) await put(raw, 'p', step, '0:16');
    const pinned = async () => (await steps('p')).steps.filter((step) => step.pinned).map(({ step }) => step);
    expect(await cluster.request(PUBLIC.pin, { variable: 'p', steps: '2:9', reason: 'look' })).toEqual({});
    expect(await pinned()).toEqual([2, 5]);
    await cluster.request(PUBLIC.pin, { variable: 'p', steps: [1, 7] });
    await cluster.request(PUBLIC.unpin, { variable: 'p', steps: '2:3' });
    expect(await pinned()).toEqual([1, 5]);
    await put(raw, 'p', 7, '0:16');
    await put(raw, 'p', 8, '0:16');
    expect(await pinned()).toEqual([1, 5, 7]);
    await cluster.request(PUBLIC.delete, { variable: 'p', steps: [1, 5] });
    expect(await pinned()).toEqual([7]);
    await put(raw, 'p', 1, '0:16');
    expect(await pinned()).toEqual([7]);
    await expect(cluster.request(PUBLIC.pin, { variable: 'nix', steps: 1 })).rejects.toMatchObject({
      code: 'UNKNOWN_VARIABLE',
    });
  });
});

describe('delete', () => {
  test('releases each partition once, at the raw-service that holds it', async () => {
    await cluster.declare('d', [64, 64]);
    for (const step of [0, 1, 2]) {
      await put(raw, 'd', step, '0:64,0:64');
      await put(other, 'd', step, '5:9,5:9');
    }
    raw.calls.length = 0;
    other.calls.length = 0;
    expect(await cluster.request(PUBLIC.delete, { variable: 'd', steps: '0:2' })).toEqual({ partitions: 4, bytes: 32 });
    expect(raw.calls).toEqual(['release:2:deleted']);
    expect(other.calls).toEqual(['release:2:deleted']);
    expect((await steps('d')).steps).toMatchObject([{ step: 2, partitions: 2 }]);
    expect(await cluster.request(PUBLIC.delete, { variable: 'd', steps: 2, box: '0:10,0:10' })).toEqual({
      partitions: 1,
      bytes: 8,
    });
    expect((await query('d', 2)).pieces).toHaveLength(1);
    expect(await cluster.request(PUBLIC.delete, { variable: 'd', steps: [0, 1] })).toEqual({ partitions: 0, bytes: 0 });
  });

  test('goes through many pages', async () => {
    const map = await cluster.declare('pages', [20_000]);
    const boxes = Array.from({ length: 6000 }, (_, i) => makeBox([i * 3], [i * 3 + 3]));
    for (let from = 0; from < boxes.length; from += 500) {
      await Promise.all(
        boxes
          .slice(from, from + 500)
          .map((box) => put(from % 1000 === 0 ? raw : other, 'pages', 0, `${box.lower}:${box.upper}`)),
      );
    }
    expect(map.touched).toHaveLength(16);
    expect(await cluster.request(PUBLIC.delete, { variable: 'pages', steps: 0 })).toEqual({
      partitions: 6000,
      bytes: 48_000,
    });
    expect(await steps('pages')).toEqual({ steps: [] });
  });
});

describe('what the window dropped', () => {
  test('is told at once to those who wait for it', async () => {
    const map: ShardMap = await cluster.declare('window', [32, 32], { onEvict: 'drop' });
    const entries = await Promise.all(map.touched.map((shard) => put(raw, 'window', 0, boxText(map, shard))));
    const waiting = query('window', 0, { wait: 20_000 });
    await raw.unindex(entries, 'evicted', 3);
    const started = monotonicNow();
    expect(await waiting).toMatchObject({ covered: false });
    expect(monotonicNow() - started).toBeLessThan(1000);
    const later = monotonicNow();
    expect(await query('window', 2, { wait: 20_000 })).toMatchObject({ covered: false });
    expect(monotonicNow() - later).toBeLessThan(1000);
  });
});

function boxText(map: ShardMap, shard: number): string {
  const [box] = map.cellsOf(shard);
  if (!box) throw new Error('the shard owns nothing');
  return box.lower.map((lower, d) => `${lower}:${box.upper[d]}`).join(',');
}

test('a put that is known elsewhere already is answered as such', async () => {
  await cluster.declare('twin', [64, 64]);
  const entry = await put(raw, 'twin', 0, '0:64,0:64');
  const outcomes = await other.index({ ...entry, raw: other.id });
  expect(outcomes.length).toBeGreaterThan(0);
  expect(outcomes.every((outcome) => outcome.kind === 'duplicate' && outcome.raw === raw.id)).toBe(true);
  expect((await other.index({ ...entry, raw: other.id }, true)).every((outcome) => outcome.kind === 'indexed')).toBe(
    true,
  );
  expect((await query('twin', 0)).pieces).toMatchObject([{ id: ulid(cluster.serial), rawService: 'raw-b' }]);
});

test('a thousand readers that wait for one step are answered with its last partition', async () => {
  await cluster.declare('crowd', [64, 64]);
  await put(raw, 'crowd', 0, '0:64,0:60');
  let answered = 0;
  const readers = Array.from({ length: 1000 }, () =>
    query('crowd', 0, { wait: 20_000 }).then((reply) => (answered += reply.covered ? 1 : 0)),
  );
  // All of them wait when each has asked once and none is answered; a further question is answered after theirs.
  await query('crowd', 0);
  await query('crowd', 0, { wait: 50 });
  expect(answered).toBe(0);
  const started = monotonicNow();
  await put(raw, 'crowd', 0, '0:64,60:64');
  await Promise.all(readers);
  expect(answered).toBe(1000);
  // Two public hops per reader in this process, too: the owners themselves take a fraction of it.
  expect(monotonicNow() - started).toBeLessThan(3000);
});
