import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ensureStream, type KvBucket, monotonicNow, openBucket, storedMessages } from '@tidegate/bus';
import { createShardMap, parseBox, type ShardMap } from '@tidegate/geometry';
import {
  type IndexEntry,
  type PointerMessage,
  PUBLIC,
  pointersOf,
  type QueryReply,
  type RunsReply,
  type RunsRequest,
  STREAMS,
  syncSubject,
  type TriggerRecord,
  type TriggerScope,
  type VariableRecord,
} from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import type { MetaService } from '../meta-service.js';
import { ShardEndpoints } from '../shard-endpoints.js';
import { TriggerPointers } from '../trigger-pointers.js';
import { VariableIndex } from '../variable-index.js';
import { Cluster } from './cluster.js';
import type { FakeRaw } from './fake-raw.js';
import { entryOf } from './painted.js';
import { triggerOf, variableOf } from './records.js';

const STREAM = STREAMS.pointers.name;
let cluster: Cluster;
let raw: FakeRaw;
let other: FakeRaw;
let metas: MetaService[];
let triggers: KvBucket<TriggerRecord>;
let serial = 0;

beforeAll(async () => {
  ({ cluster, raw, other, metas } = await Cluster.ofTwo());
  triggers = await openBucket<TriggerRecord>(cluster.bus, 'triggers');
});

afterAll(() => cluster.end());

beforeEach(() => api('PURGE'));

async function api(operation: string): Promise<void> {
  await cluster.bus.request(`$JS.API.STREAM.${operation}.${STREAM}`, new Uint8Array(), { timeoutMs: 5000 });
}

function entry(variable: string, text: string, over: object = {}): IndexEntry {
  serial++;
  return entryOf(serial, parseBox(text), { variable, run: 'default', stamp: serial, raw: raw.id, ...over });
}

/** Registers as an engine does. */
async function register(
  name: string,
  variable: string,
  on: Partial<TriggerScope> = {},
  over: Partial<TriggerRecord> = {},
): Promise<TriggerRecord> {
  const declared = await cluster.request<VariableRecord>(PUBLIC.variableGet, { name: variable });
  const record = triggerOf(name, declared, on, over);
  const revision = await triggers.put(name, record);
  await Promise.all(metas.map((meta) => cluster.request(syncSubject(meta.id), { bucket: 'triggers', revision })));
  return record;
}

async function pointers(record: TriggerRecord): Promise<PointerMessage[]> {
  const found: PointerMessage[] = [];
  for await (const { data } of storedMessages(cluster.bus, STREAM, { subject: pointersOf(record.primary) })) {
    const message = JSON.parse(new TextDecoder().decode(data)) as PointerMessage;
    if (message.trigger === record.name) found.push(message);
  }
  return found;
}

describe('a partition in the box of a trigger', () => {
  test('has been told when its put is acknowledged', async () => {
    await cluster.declare('in', [64, 64]);
    const corner = await register('corner', 'in', { box: '0:8,0:8', run: 'a*', every: 2 });
    const put = await raw.put(entry('in', '0:4,0:4', { run: 'a1', step: 6, epoch: 3 }));
    const { id, bytes, stamp } = put;
    expect(await pointers(corner)).toEqual([
      {
        trigger: 'corner',
        variable: 'in',
        run: 'a1',
        step: 6,
        epoch: 3,
        id,
        box: '0:4,0:4',
        bytes,
        stamp,
        raw: 'raw-a',
      },
    ]);
    await raw.put(entry('in', '8:64,0:64', { run: 'a1', step: 6 }));
    await raw.put(entry('in', '0:4,0:4', { run: 'b', step: 6 }));
    await raw.put(entry('in', '0:4,0:4', { run: 'a1', step: 7 }));
    expect(await pointers(corner)).toHaveLength(1);
  });

  test('is told to those that are enabled, registering ones included, and to none of an earlier declaration', async () => {
    await cluster.declare('on', [16]);
    const registering = await register('registering', 'on', {}, { state: 'registering' });
    const records = [
      await register('disabled', 'on', {}, { enabled: false }),
      await register('deleted', 'on', {}, { state: 'deleted' }),
      await register('stale', 'on', {}, { variableCreatedAt: '2020-01-01T00:00:00Z' }),
    ];
    await raw.put(entry('on', '0:1'));
    expect(await pointers(registering)).toHaveLength(1);
    for (const record of records) expect(await pointers(record)).toEqual([]);
    await register('registering', 'on', {}, { enabled: false });
    await raw.put(entry('on', '1:2'));
    expect(await pointers(registering)).toHaveLength(1);
  });

  test('is told by every owner that shares cells of the box with it, so that the last one makes it planned whole', async () => {
    const map = await cluster.declare('wide', [64, 64]);
    const box = '0:64,8:64';
    const wide = await register('wide', 'wide', { box });
    const told = new Map<number, number>();
    const early: Promise<unknown>[] = [];
    const owners = raw.router.groups(map.shardsOf(parseBox(box))).length;
    expect(owners).toBeGreaterThan(1);
    const stop = cluster.bus.listen(pointersOf(wide.primary), (data) => {
      const { step } = JSON.parse(new TextDecoder().decode(data)) as PointerMessage;
      const count = (told.get(step) ?? 0) + 1;
      told.set(step, count);
      if (count === owners) early.push(cluster.request<QueryReply>(PUBLIC.query, { variable: 'wide', step, box }));
    });
    const steps = Array.from({ length: 40 }, (_, step) => step);
    await Promise.all(steps.map((step) => raw.put(entry('wide', '0:64,0:64', { step }))));
    await until(() => early.length === steps.length, { what: 'all pointers' });
    stop();
    expect(await Promise.all(early)).toEqual(steps.map(() => expect.objectContaining({ covered: true })));
    expect([...told.values()]).toEqual(steps.map(() => owners));
  });

  test('is told by a later owner, too, where an earlier one has told already', async () => {
    const map = await cluster.declare('halves', [64, 64]);
    const record = await register('halves', 'halves');
    const put = entry('halves', '0:64,0:64');
    raw.entries.set(put.id, put);
    const groups = raw.router.groups(map.touched);
    expect(groups.length).toBeGreaterThan(1);
    for (const [n, shards] of groups.entries()) {
      const body = () => ({ entry: put, incarnation: raw.incarnation });
      await raw.router.request('index', shards, body, { deadline: monotonicNow() + 5000 });
      expect(await pointers(record)).toHaveLength(n + 1);
      const { covered } = await cluster.request<QueryReply>(PUBLIC.query, { variable: 'halves', step: 0 });
      expect(covered).toBe(n === groups.length - 1);
    }
  });

  test('is told again when its index request is repeated, not where it stands elsewhere', async () => {
    await cluster.declare('twice', [8]);
    const twice = await register('twice', 'twice', { box: '0:1' });
    const put = await raw.put(entry('twice', '0:1'));
    await raw.index(put);
    expect(await pointers(twice)).toHaveLength(2);
    const [outcome] = await other.index({ ...put, raw: other.id });
    expect(outcome).toMatchObject({ kind: 'duplicate' });
    const [restamp] = await other.index(entry('twice', '0:2', { raw: other.id, stamp: 0 }));
    expect(restamp).toMatchObject({ kind: 'restamp' });
    expect((await pointers(twice)).map(({ id }) => id)).toEqual([put.id, put.id]);
  });

  test('is not acknowledged before it could be told', async () => {
    await cluster.declare('held', [8]);
    const held = await register('held', 'held', { box: '0:4' });
    await api('DELETE');
    let acknowledged = false;
    const put = raw.put(entry('held', '0:1')).then(() => {
      acknowledged = true;
    });
    const query = () => cluster.request<QueryReply>(PUBLIC.query, { variable: 'held', step: 0, box: '0:1' });
    await until(async () => (await query()).covered, { what: 'the partition to be indexed' });
    // Where no trigger is concerned nothing is missed.
    await raw.put(entry('held', '6:7'));
    expect(acknowledged).toBe(false);
    await ensureStream(cluster.bus, STREAMS.pointers);
    await put;
    expect(await pointers(held)).not.toEqual([]);
  });

  test('fails its put where the stream is full', async () => {
    await cluster.declare('full', [8]);
    await register('full', 'full');
    await api('DELETE');
    await ensureStream(cluster.bus, { ...STREAMS.pointers, maxBytes: 200, discard: 'new' });
    const puts = async () => {
      for (let n = 0; n < 5; n++) await raw.put(entry('full', `${n}:${n + 1}`));
    };
    await expect(puts()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await api('DELETE');
    await ensureStream(cluster.bus, STREAMS.pointers);
  });

  test('is told by an owner that came after the trigger', async () => {
    const map = await cluster.declare('later', [64, 64]);
    const records = await Promise.all(
      map.touched.map((shard) => register(`later-${shard}`, 'later', { box: boxIn(map, shard) })),
    );
    const third = await cluster.meta('meta-3');
    metas.push(third);
    await cluster.settled(metas);
    await raw.put(entry('later', '0:64,0:64'));
    for (const record of records) expect(await pointers(record)).toHaveLength(1);
  });
});

function boxIn(map: ShardMap, shard: number): string {
  const [box] = map.cellsOf(shard);
  if (!box) throw new Error('the shard owns nothing');
  return box.lower.map((lower, d) => `${lower}:${box.upper[d]}`).join(',');
}

test('runs with something staged are told by shard', async () => {
  const map = await cluster.declare('runs', [64, 64]);
  const [low = 0, ...rest] = map.touched;
  const ask = async (shards: readonly number[], variable = 'runs') => {
    const deadline = monotonicNow() + 5000;
    const replies = await raw.router.request<RunsRequest, RunsReply>('runs', shards, () => ({ variable }), {
      deadline,
    });
    return [...new Set(replies.flatMap(({ runs }) => runs))].sort();
  };
  expect(await ask(map.touched)).toEqual([]);
  expect(await ask(map.touched, 'undeclared')).toEqual([]);
  const gone = await raw.put(entry('runs', boxIn(map, low), { run: 'gone' }));
  await raw.put(entry('runs', boxIn(map, low), { run: 'low', step: 3 }));
  await raw.put(entry('runs', '0:64,0:64', { run: 'all', step: 9 }));
  await raw.remove([gone], 'deleted');
  expect(await ask([low])).toEqual(['all', 'low']);
  expect(await ask(rest)).toEqual(['all']);
});

test('where no trigger is concerned an index request is answered without a pause', () => {
  const record = variableOf('v', [16]);
  const variable = new VariableIndex(record);
  const table = new TriggerPointers();
  table.set('far', triggerOf('far', record, { box: '8:16' }));
  let published = 0;
  const endpoints = new ShardEndpoints({
    owner: { standing: (shards: readonly number[]) => ({ ready: shards, acquiring: [], notOwned: [] }) },
    index: { get: () => variable },
    starts: { judge: () => 'current' },
    rollback: () => undefined,
    isLive: () => true,
    pointers: table,
    publisher: { publish: async () => void published++ },
  } as never);
  const shards = createShardMap(record).touched;
  const index = (text: string) => endpoints.index(shards, { entry: entryOf(1, parseBox(text)), incarnation: 'i' });
  expect(index('0:8')).toEqual({ outcome: { kind: 'indexed' } });
  expect(published).toBe(0);
  expect(index('0:9')).toBeInstanceOf(Promise);
  expect(published).toBe(1);
});
