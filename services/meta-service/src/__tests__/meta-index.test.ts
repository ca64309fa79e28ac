import { describe, expect, test } from '@jest/globals';
import { makeBox } from '@tidegate/geometry';
import type { RawId, VariableRecord } from '@tidegate/protocol';
import { MetaIndex } from '../meta-index.js';
import { heldEntry } from '../step-index.js';
import type { VariableIndex } from '../variable-index.js';
import { entryOf, ulid } from './painted.js';

const record: VariableRecord = {
  name: 'v',
  dtype: 'int8',
  shape: [16],
  window: 10,
  onEvict: 'spill',
  durability: 'memory',
  annotation: 'optional',
  createdAt: '2026-01-01T00:00:00Z',
  shards: 4,
};

function put(
  variable: VariableIndex,
  n: number,
  shards: readonly number[],
  over: { raw?: string; incarnation?: string; step?: number } = {},
): void {
  const { raw = 'raw-a', incarnation = 'i1', step = 0 } = over;
  const entry = entryOf(n, makeBox([n], [n + 1]), { raw, step });
  variable.openRun('r').change(step, (index) => index.adopt(heldEntry(entry, shards[0] ?? 0, shards, incarnation)));
}

const ids = (variable: VariableIndex) =>
  [...(variable.run('r')?.step(0)?.values() ?? [])].map((held) => held.id).sort();

describe('MetaIndex', () => {
  test('forgets with a shard what only that shard made known', () => {
    const index = new MetaIndex();
    const variable = index.open(record);
    put(variable, 1, [0]);
    put(variable, 2, [0, 1]);
    put(variable, 3, [2]);
    index.loseShard(0);
    expect(ids(variable)).toEqual([ulid(2), ulid(3)]);
    index.loseShard(1);
    expect(ids(variable)).toEqual([ulid(3)]);
    index.loseShard(2);
    expect(variable.run('r')).toBeUndefined();
  });

  test('forgets what a raw-service did not confirm since its start, at the shards that were asked', () => {
    const index = new MetaIndex();
    const variable = index.open(record);
    put(variable, 1, [0]);
    put(variable, 2, [0], { incarnation: 'i2' });
    put(variable, 3, [1]);
    put(variable, 4, [0], { raw: 'raw-b' });
    index.keepConfirmed('raw-a' as RawId, new Set([0]), 'i2');
    expect(ids(variable)).toEqual([ulid(2), ulid(3), ulid(4)]);
    index.forgetRaw('raw-a');
    expect(ids(variable)).toEqual([ulid(4)]);
  });

  test('a deleted variable is listed until nothing of it is staged; another declaration starts empty', () => {
    const index = new MetaIndex();
    const variable = index.open(record);
    expect(index.open({ ...record })).toBe(variable);
    put(variable, 1, [0]);
    index.markDeleted('v');
    expect(index.get('v')).toBe(variable);
    expect(variable.deleted).toBe(true);
    index.forgetRaw('raw-a');
    expect(index.get('v')).toBeUndefined();
    const anew = index.open({ ...record, createdAt: '2026-01-02T00:00:00Z', shape: [8] });
    put(anew, 1, [0]);
    expect(index.open({ ...record, createdAt: '2026-01-03T00:00:00Z' })).not.toBe(anew);
    expect(anew.deleted).toBe(true);
  });

  test('a rollback lets dropped steps come anew, for the variables that it names', () => {
    const index = new MetaIndex();
    const [v, w] = [index.open(record), index.open({ ...record, name: 'w' })];
    for (const variable of [v, w]) variable.openRun('r').raiseFloor(9);
    index.rollBack({ run: 'r', epoch: 1, toStep: 4, variables: ['w'], at: '' });
    expect(v.run('r')?.floor).toBe(9);
    expect(w.run('r')?.floor).toBe(5);
    index.rollBack({ run: 'other', epoch: 1, toStep: 1, at: '' });
    expect(v.run('r')?.floor).toBe(9);
    const second = [
      { epoch: 1, toStep: 4, variables: ['w'] },
      { epoch: 2, toStep: 2 },
      { epoch: 3, toStep: 20 },
    ];
    index.rollBack({ run: 'r', epoch: 3, toStep: 20, at: '', standing: second });
    expect([v.run('r')?.floor, w.run('r')?.floor]).toEqual([3, 3]);
    v.openRun('r').raiseFloor(30);
    index.rollBack({ run: 'r', epoch: 4, toStep: 25, at: '', standing: [...second, { epoch: 4, toStep: 25 }] });
    expect([v.run('r')?.floor, w.run('r')?.floor]).toEqual([26, 3]);
  });

  test('lists variables by name', () => {
    const index = new MetaIndex();
    for (const name of ['c', 'a', 'b']) index.open({ ...record, name });
    expect(index.all().map((variable) => variable.record.name)).toEqual(['a', 'b', 'c']);
  });
});
