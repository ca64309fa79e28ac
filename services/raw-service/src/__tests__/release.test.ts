import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import { parseBox } from '@tidegate/geometry';
import {
  type Epoch,
  type PartitionId,
  type PartitionRecord,
  type Stamp,
  UnavailableError,
  type VariableRecord,
} from '@tidegate/protocol';
import type { Catalog } from '../catalog.js';
import type { PartitionStore } from '../partition-store.js';
import { Releases } from '../release.js';
import type { Removal, ShardIndex } from '../shard-index.js';
import { groupBySteps } from '../step-groups.js';

const variable: VariableRecord = {
  name: 'T',
  dtype: 'uint8',
  shape: [8],
  window: 10,
  onEvict: 'spill',
  durability: 'memory',
  annotation: 'optional',
  createdAt: '',
  shards: 4,
};
const handle = variableHandle(variable);
const catalog = { known: (name: string): VariableHandle | undefined => (name === 'T' ? handle : undefined) };

function record(id: string, step: number, name = 'T'): PartitionRecord {
  return {
    id: id as PartitionId,
    run: 'default',
    variable: name,
    step,
    epoch: 0 as Epoch,
    box: parseBox('0:8'),
    dtype: 'uint8',
    bytes: 8,
    stamp: 1 as Stamp,
    createdAt: 0,
  };
}

function setUp(unindex: (removal: Removal) => Promise<void>) {
  const records = new Map(
    [record('a', 0), record('b', 0), record('c', 1), record('d', 2, 'gone')].map((held) => [held.id as string, held]),
  );
  const forgotten: Removal[] = [];
  const store = {
    get: (id: string) => (records.has(id) ? { record: records.get(id), tier: 'memory' } : undefined),
    remove: async (ids: readonly string[]) => {
      const removed = ids.filter((id) => records.delete(id));
      return { partitions: removed.length, bytes: removed.length * 8, records: [] };
    },
  } as unknown as PartitionStore;
  const index = { unindex, forget: (removal: Removal) => forgotten.push(removal) } as unknown as ShardIndex;
  const releases = new Releases({ store, catalog: catalog as Catalog, index, logger: silentLogger });
  return { releases, records, forgotten };
}

const ids = ['a', 'b', 'c', 'd', 'unknown'] as PartitionId[];

describe('groupBySteps', () => {
  it('groups by variable, run and step, and leaves undeclared variables out', () => {
    const groups = groupBySteps(catalog, [record('a', 0), record('c', 1), record('b', 0), record('d', 0, 'gone')]);
    expect(groups.map(({ records }) => records.map(({ id }) => id))).toEqual([['a', 'b'], ['c']]);
  });
});

describe('Releases', () => {
  it('tells the shards first, and shows no inventory what is leaving', async () => {
    const told: string[][] = [];
    const { releases, records } = setUp(async ({ records: group }) => {
      told.push(group.map(({ id }) => id));
      expect(group.every(({ id }) => records.has(id) && releases.isLeaving(id))).toBe(true);
    });
    await expect(releases.release({ ids, reason: 'deleted' })).resolves.toEqual({ partitions: 4, bytes: 32 });
    expect(told).toEqual([['a', 'b'], ['c']]);
    expect([records.size, releases.isLeaving('a')]).toEqual([0, false]);
  });

  it('goes on where a shard has no owner, and owes it the news', async () => {
    const { releases, records, forgotten } = setUp(async ({ records: [first] }) => {
      if (first?.id === 'c') throw new UnavailableError('no owner', 1);
    });
    await releases.release({ ids, reason: 'rollback' });
    expect(records.size).toBe(0);
    expect(forgotten.map(({ records: group, reason }) => [group.length, reason])).toEqual([[1, 'rollback']]);
  });
});
