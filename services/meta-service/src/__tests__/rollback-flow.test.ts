import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBucket } from '@tidegate/bus';
import { PUBLIC, type RollbackReply, type RunRecord } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { Cluster } from './cluster.js';
import type { FakeRaw } from './fake-raw.js';

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
const rollBack = async (run: string, toStep: number, more: object = {}) =>
  (await cluster.request<RollbackReply>(PUBLIC.rollback, { run, toStep, ...more })).epoch;

describe('rollback', () => {
  test('begins an epoch, drops the steps above, keeps late puts of the earlier one out, and tells of it', async () => {
    await cluster.declare('r', [16]);
    await cluster.declare('r2', [16]);
    const run = 'run-1';
    for (const step of [0, 1, 2, 3]) await put(raw, 'r', step, '0:16', { run });
    await put(other, 'r2', 3, '0:16', { run });
    await put(other, 'r', 3, '0:16');
    const events: string[] = [];
    const stop = cluster.bus.listen('tide.v1.event.run.>', (data, subject) =>
      events.push(`${subject} ${new TextDecoder().decode(data)}`),
    );
    expect(await rollBack(run, 1, { reason: 'diverged' })).toBe(1);
    expect((await steps('r', { run })).steps.map(({ step }) => step)).toEqual([0, 1]);
    expect((await steps('r2', { run })).steps).toEqual([]);
    expect((await steps('r')).steps.map(({ step }) => step)).toEqual([3]);
    expect(await query('r', 1, { run })).toMatchObject({ epoch: 1, covered: true });
    await expect(put(raw, 'r', 2, '0:16', { run, epoch: 0 })).rejects.toThrow('superseded');
    await put(raw, 'r', 2, '0:16', { run, epoch: 1 });
    await put(raw, 'r', 1, '0:16', { run, epoch: 0 });
    expect(await query('r', 2, { run })).toMatchObject({ covered: true });
    expect(await rollBack(run, 1, { variables: ['r2'] })).toBe(2);
    expect((await steps('r', { run })).steps.map(({ step }) => step)).toEqual([0, 1, 2]);
    await until(() => events.length === 2, { what: 'both events' });
    stop();
    expect(events[0]).toBe('tide.v1.event.run.run-1 {"run":"run-1","epoch":1,"toStep":1,"reason":"diverged"}');
  });

  test('rollbacks at the same time each get an epoch, and all of them stand that decide one', async () => {
    const epochs = await Promise.all(
      Array.from({ length: 5 }, (_, n) => rollBack('busy', 10 + n, { reason: `reason ${n}` })),
    );
    expect(epochs.toSorted()).toEqual([1, 2, 3, 4, 5]);
    const runs = await openBucket<RunRecord>(cluster.bus, 'runs');
    const standing = (await runs.get('busy'))?.value.standing ?? [];
    expect(standing.at(-1)?.epoch).toBe(5);
    for (const [n, { epoch, toStep }] of standing.entries()) {
      const next = standing[n + 1];
      if (next !== undefined) expect([next.epoch > epoch, next.toStep > toStep]).toEqual([true, true]);
    }
  });

  test('keeps puts of an earlier epoch out between two of them', async () => {
    await cluster.declare('between', [16]);
    const run = 'run-2';
    await rollBack(run, 10);
    await put(raw, 'between', 15, '0:16', { run, epoch: 1 });
    await rollBack(run, 20);
    await expect(put(other, 'between', 14, '0:16', { run, epoch: 0 })).rejects.toThrow('superseded');
    await put(raw, 'between', 16, '0:16', { run, epoch: 1 });
    await put(raw, 'between', 9, '0:16', { run, epoch: 0 });
    expect((await steps('between', { run })).steps.map(({ step }) => step)).toEqual([9, 15, 16]);
    for (const [id, entry] of other.entries) if (entry.step === 14) other.entries.delete(id);
  });
});

describe('the same request again', () => {
  test('answers the epoch of the first while nothing was put above since, and tells of it once', async () => {
    await cluster.declare('again', [16]);
    const run = 'run-3';
    const events: unknown[] = [];
    const stop = cluster.bus.listen(`tide.v1.event.run.${run}`, (data) =>
      events.push(JSON.parse(new TextDecoder().decode(data)).epoch),
    );
    const stream = async () =>
      (await cluster.request<{ state: { messages: number } }>('$JS.API.STREAM.INFO.TIDE_EVENTS', {})).state.messages;
    const before = await stream();
    await put(raw, 'again', 4, '0:16', { run });
    const request = { reason: 'diverged', variables: ['again'] };
    const together = await Promise.all(Array.from({ length: 4 }, () => rollBack(run, 3, request)));
    expect(together).toEqual([1, 1, 1, 1]);
    await put(raw, 'again', 3, '0:16', { run, epoch: 1 });
    expect(await rollBack(run, 3, request)).toBe(1);
    expect((await stream()) - before).toBe(1);
    await put(raw, 'again', 4, '0:16', { run, epoch: 1 });
    expect(await rollBack(run, 3, request)).toBe(2);
    expect((await steps('again', { run })).steps.map(({ step }) => step)).toEqual([3]);
    expect((await stream()) - before).toBe(2);
    expect(new Set(events)).toEqual(new Set([1, 2]));
    stop();
  });

  test('is another one where anything in it differs, or after a minute', async () => {
    await cluster.declare('differs', [16]);
    const run = 'run-4';
    expect(await rollBack(run, 3)).toBe(1);
    expect(await rollBack(run, 2)).toBe(2);
    expect(await rollBack(run, 2, { reason: 'x' })).toBe(3);
    expect(await rollBack(run, 2, { reason: 'x', variables: ['differs'] })).toBe(4);
    const runs = await openBucket<RunRecord>(cluster.bus, 'runs');
    const entry = await runs.get(run);
    if (entry === undefined) throw new Error('no record of the run');
    await runs.update(run, { ...entry.value, at: new Date(Date.now() - 61_000).toISOString() }, entry.revision);
    expect(await rollBack(run, 2, { reason: 'x', variables: ['differs'] })).toBe(5);
  });

  test('finishes what the first one left', async () => {
    await cluster.declare('left', [16]);
    const run = 'run-5';
    await put(raw, 'left', 7, '0:16', { run });
    const runs = await openBucket<RunRecord>(cluster.bus, 'runs');
    // As after a meta-service that died when it had written the record.
    await runs.create(run, { run, epoch: 1, toStep: 5, at: new Date().toISOString() });
    expect(await rollBack(run, 5)).toBe(1);
    expect((await steps('left', { run })).steps).toEqual([]);
  });
});
