import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { monotonicNow } from '@tidegate/bus';
import { boxOfShape, formatBox, parseBox, type ShardMap } from '@tidegate/geometry';
import { type IndexEntry, PUBLIC, type QueryReply } from '@tidegate/protocol';
import { seededRandom, until } from '@tidegate/testing';
import type { MetaService } from '../meta-service.js';
import { Cluster } from './cluster.js';
import type { FakeRaw } from './fake-raw.js';
import { eachCell, entryOf, paint, randomBox, ulid } from './painted.js';

const SHAPE = [24, 24];
let cluster: Cluster;
let metas: MetaService[] = [];
let serial = 0;

beforeAll(async () => {
  cluster = await Cluster.start();
});

afterEach(async () => {
  for (const raw of cluster.raws) raw.beforePage = () => {};
});

afterAll(() => cluster.end());

async function onlyMetas(...ids: string[]): Promise<MetaService[]> {
  for (const meta of metas) if (!ids.includes(meta.id)) await cluster.stop(meta);
  metas = metas.filter((meta) => ids.includes(meta.id));
  for (const id of ids) if (!metas.some((meta) => meta.id === id)) metas.push(await cluster.meta(id));
  await cluster.settled(metas);
  return metas;
}

function entry(variable: string, step: number, text: string, over: object = {}): IndexEntry {
  serial++;
  return entryOf(serial, parseBox(text), { variable, run: 'default', step, stamp: serial, ...over });
}

const query = (variable: string, step: number, more: object = {}) =>
  cluster.request<QueryReply>(PUBLIC.query, { variable, step, ...more });

/** The index must name for each cell of the step the newest of what the raw-services hold. */
async function expectTrue(variable: string, step: number, raws: readonly FakeRaw[] = cluster.raws): Promise<void> {
  const held = raws
    .flatMap((raw) => [...raw.entries.values()])
    .filter((held) => held.variable === variable && held.step === step);
  const reply = await query(variable, step);
  const seen = new Array<string | undefined>(SHAPE.reduce((a, b) => a * b, 1)).fill(undefined);
  for (const piece of reply.pieces) {
    eachCell(parseBox(piece.box), SHAPE, (cell) => {
      expect(seen[cell]).toBeUndefined();
      seen[cell] = piece.id;
    });
  }
  expect(seen).toEqual(paint(SHAPE, held));
}

/** Puts and removes at both raw-services until told to stop. */
function stream(variable: string, seed: number) {
  const random = seededRandom(seed);
  let stopped = false;
  let done = 0;
  const writer = async (raw: FakeRaw) => {
    const acknowledged: IndexEntry[] = [];
    while (!stopped) {
      if (random.int(0, 4) === 0 && acknowledged.length > 0) {
        await raw.remove(acknowledged.splice(random.int(0, acknowledged.length), 1), 'deleted');
      } else {
        const box = randomBox(random, SHAPE);
        acknowledged.push(await raw.put(entry(variable, random.int(0, 2), formatBox(box))));
      }
      done++;
    }
  };
  const writers = cluster.raws.flatMap((raw) => [writer(raw), writer(raw)]);
  return {
    progress: (more: number) => {
      const goal = done + more;
      return until(() => done >= goal, { what: 'puts to go on', timeoutMs: 20_000 });
    },
    end: async () => {
      stopped = true;
      await Promise.all(writers);
    },
  };
}

test('a stream of puts goes on while shards are handed over to one that joins and from one that leaves, and nothing is lost', async () => {
  await cluster.raw('raw-a');
  await cluster.raw('raw-b');
  const [first] = await onlyMetas('meta-1');
  await cluster.declare('handed', SHAPE);
  const puts = stream('handed', 5);
  await puts.progress(50);
  const second = await cluster.meta('meta-2');
  metas.push(second);
  await puts.progress(50);
  await cluster.settled(metas);
  await puts.progress(50);
  if (first) await cluster.stop(first);
  metas = [second];
  await puts.progress(50);
  await cluster.settled(metas);
  await puts.progress(50);
  await puts.end();
  await expectTrue('handed', 0);
  await expectTrue('handed', 1);
});

describe('what waits', () => {
  test('goes on at the new owner when a shard is handed over', async () => {
    await onlyMetas('meta-2');
    await cluster.declare('moved', SHAPE);
    const [raw] = cluster.raws;
    await raw?.put(entry('moved', 0, '0:24,0:12'));
    const waiting = query('moved', 0, { wait: 20_000 });
    const steps = cluster.request<{ steps: { step: number; covered: boolean }[] }>(PUBLIC.steps, {
      variable: 'moved',
      wait: 20_000,
    });
    await query('moved', 0, { wait: 30 });
    // The public request itself is answered by meta-2, so it must stay; the owner of some of the shards changes.
    await onlyMetas('meta-2', 'meta-4');
    const started = monotonicNow();
    await raw?.put(entry('moved', 0, '0:24,12:24'));
    expect((await waiting).covered).toBe(true);
    expect((await steps).steps).toMatchObject([{ step: 0, covered: true }]);
    expect(monotonicNow() - started).toBeLessThan(1000);
  });

  test('is told to ask another one when the meta-service that it asked stops', async () => {
    await onlyMetas('meta-2');
    const waiting = query('moved', 9, { wait: 20_000 });
    await query('moved', 9, { wait: 30 });
    const answer = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await onlyMetas('meta-5');
    await answer;
  });
});

describe('an inventory', () => {
  let map: ShardMap;
  const raws = (): [FakeRaw, FakeRaw] => cluster.raws as [FakeRaw, FakeRaw];

  test('does not bring back what was removed while it was read', async () => {
    await onlyMetas('meta-5');
    map = await cluster.declare('inv', SHAPE);
    const [a] = raws();
    const kept = await a.put(entry('inv', 0, '0:24,0:24'));
    const removed = await a.put(entry('inv', 0, '3:9,3:9'));
    const told = Promise.withResolvers<void>();
    const asked = new Set<number>();
    a.beforePage = async ({ shard }) => {
      asked.add(shard);
      await told.promise;
    };
    const taking = onlyMetas('meta-6');
    await until(() => map.shardsOf(removed.box).every((shard) => asked.has(shard)), {
      what: 'inventories to be asked for',
    });
    // What the replies hold is fixed; now the partition goes.
    await a.unindex([removed], 'deleted');
    a.entries.delete(removed.id);
    told.resolve();
    await taking;
    expect((await query('inv', 0)).pieces.map((piece) => piece.id)).toEqual([kept.id]);
  });

  test('and a put that is undone while its shards are taken over leaves nothing behind', async () => {
    const [a] = raws();
    const told = Promise.withResolvers<void>();
    const asked = new Set<number>();
    const undone = entry('inv', 1, '0:24,0:24', { raw: a.id });
    a.beforePage = async ({ shard }) => {
      asked.add(shard);
      await told.promise;
    };
    const taking = onlyMetas('meta-7');
    await until(() => asked.size === map.touched.length, { what: 'inventories to be asked for' });
    // The request stays at the new owner, which answers nothing before its inventories are in.
    const indexing = a.index(undone).catch((error: Error) => error);
    await a.unindex([undone], 'undone');
    told.resolve();
    await taking;
    expect(await indexing).toMatchObject({ code: 'CONFLICT' });
    expect(await query('inv', 1)).toMatchObject({ covered: false, pieces: [] });
  });

  test('that is not told makes answers unavailable, and is read when its raw-service is back', async () => {
    const [a, b] = raws();
    await b.put(entry('inv', 2, '0:24,0:24'));
    await a.stop();
    await onlyMetas('meta-8');
    const asked = query('inv', 2);
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('raw-a') });
    const waiting = query('inv', 2, { wait: 20_000 });
    await a.restart();
    expect((await waiting).covered).toBe(true);
    await expectTrue('inv', 0);
    await expectTrue('inv', 2);
  });

  test('of a raw-service that started anew replaces what it held, and messages of its earlier start are refused', async () => {
    const [a] = raws();
    const lost = await a.put(entry('inv', 3, '0:24,0:10'));
    const found = await a.put(entry('inv', 3, '0:24,10:24'));
    expect((await query('inv', 3)).covered).toBe(true);
    const before = a.incarnation;
    a.entries.delete(lost.id);
    await a.restart();
    await until(async () => (await query('inv', 3)).pieces.length === 1, {
      what: 'the lost partition to be forgotten',
    });
    expect((await query('inv', 3)).pieces.map((piece) => piece.id)).toEqual([found.id]);
    const now = a.incarnation;
    a.incarnation = before;
    expect((await a.index(lost)).every((outcome) => outcome.kind === 'stale')).toBe(true);
    a.incarnation = now;
    expect(await query('inv', 3)).toMatchObject({ covered: false });
  });

  test('with partitions that a deletion or a rollback missed has them released', async () => {
    const [a] = raws();
    await cluster.declare('left', SHAPE);
    const over = { run: 'old', epoch: 0 };
    a.entries.set(
      ulid(900_001),
      entryOf(900_001, boxOfShape(SHAPE), { ...over, variable: 'left', step: 7, raw: a.id }),
    );
    a.entries.set(
      ulid(900_002),
      entryOf(900_002, boxOfShape(SHAPE), { ...over, variable: 'left', step: 2, raw: a.id }),
    );
    await cluster.request(PUBLIC.rollback, { run: 'old', toStep: 5 });
    a.calls.length = 0;
    await onlyMetas('meta-9');
    await until(() => !a.entries.has(ulid(900_001)), { what: 'the superseded partition to be released' });
    expect(a.calls.every((call) => call === 'release:1:rollback')).toBe(true);
    expect((await query('left', 2, { run: 'old' })).covered).toBe(true);
    expect(await query('left', 7, { run: 'old' })).toMatchObject({ covered: false, epoch: 1 });
  });

  test('of two raw-services with one id keeps the newer copy, and the other one is discarded', async () => {
    const [a, b] = raws();
    const twin = { variable: 'left', run: 'default', step: 1 };
    a.entries.set(ulid(900_003), entryOf(900_003, boxOfShape(SHAPE), { ...twin, raw: a.id, stamp: 5 }));
    b.entries.set(ulid(900_003), entryOf(900_003, boxOfShape(SHAPE), { ...twin, raw: b.id, stamp: 6 }));
    a.calls.length = 0;
    b.calls.length = 0;
    await onlyMetas('meta-10');
    await until(() => !a.entries.has(ulid(900_003)), { what: 'the older copy to be discarded' });
    expect(a.calls).toEqual(['discard:1']);
    expect(b.calls).toEqual([]);
    expect((await query('left', 1)).pieces).toMatchObject([{ rawService: 'raw-b', box: '0:24,0:24' }]);
  });

  test('brings the floor of dropped steps', async () => {
    const [a] = raws();
    a.floors.push({ variable: 'left', run: 'default', floor: 1 });
    await onlyMetas('meta-11');
    const started = monotonicNow();
    expect(await query('left', 0, { wait: 20_000 })).toMatchObject({ covered: false });
    expect(monotonicNow() - started).toBeLessThan(1000);
    expect((await query('left', 1)).covered).toBe(true);
  });
});

test('a stream of puts goes on when an owner is killed, once its leases have expired', async () => {
  const [survivor, victim] = await onlyMetas('meta-11', 'meta-12');
  await cluster.declare('killed', SHAPE);
  const puts = stream('killed', 9);
  await puts.progress(100);
  if (victim) await cluster.crash(victim);
  const started = monotonicNow();
  metas = survivor ? [survivor] : [];
  await cluster.settled(metas);
  // The lease's 3 s, the tick that finds it expired, and the inventories.
  expect(monotonicNow() - started).toBeLessThan(6000);
  await puts.progress(50);
  await puts.end();
  await expectTrue('killed', 0);
  await expectTrue('killed', 1);
});
