import { describe, expect, test } from '@jest/globals';
import { formatBox, intersect, makeBox } from '@tidegate/geometry';
import { appliesTo, type TriggerRecord, type VariableRecord } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { TriggerPointers } from '../trigger-pointers.js';
import { VariableIndex } from '../variable-index.js';
import { randomBox } from './painted.js';
import { triggerOf, variableOf } from './records.js';

const v = new VariableIndex(variableOf('v', [16, 16]));
const all = v.map.touched;
const put = (text: string, over: object = {}) => {
  const [y = '', x = ''] = text.split(',');
  const range = (part: string) => part.split(':').map(Number);
  const [[y0 = 0, y1 = 0], [x0 = 0, x1 = 0]] = [range(y), range(x)];
  return { run: 'r', step: 0, box: makeBox([y0, x0], [y1, x1]), ...over };
};
const names = (found: readonly { readonly id: string }[]) => found.map(({ id }) => id).sort();

function tableOf(...records: readonly TriggerRecord[]): TriggerPointers {
  const table = new TriggerPointers();
  for (const record of records) table.set(record.name, record);
  return table;
}

describe('the triggers that a partition concerns', () => {
  test('are those on its variable whose box shares a cell, with what telling them needs', () => {
    const table = tableOf(
      triggerOf('a', v.record, { box: '0:8,0:8' }),
      triggerOf('b', v.record, { box: '7:16,7:16' }, { primary: 3 }),
      triggerOf('c', variableOf('w', [16, 16]), { box: '0:16,0:16' }),
    );
    expect(names(table.matching(v, put('0:1,0:1'), all))).toEqual(['a']);
    expect(names(table.matching(v, put('7:8,7:8'), all))).toEqual(['a', 'b']);
    expect(table.matching(v, put('8:16,0:7'), all)).toEqual([]);
    expect(table.matching(v, put('15:16,15:16'), all)).toMatchObject([
      { id: 'b', primary: 3, box: makeBox([7, 7], [16, 16]) },
    ]);
  });

  test('are those of its run and step', () => {
    const table = tableOf(triggerOf('a', v.record, { run: 'x*', every: 3 }));
    const told = (over: object) => table.matching(v, put('0:1,0:1', over), all).length;
    expect([told({ run: 'x', step: 3 }), told({ run: 'xy', step: 0 })]).toEqual([1, 1]);
    expect([told({ run: 'x', step: 4 }), told({ run: 'yx', step: 3 })]).toEqual([0, 0]);
  });

  test('are those that stand, enabled, on this declaration of the name', () => {
    const again: VariableRecord = { ...variableOf('v', [16, 16, 4]), createdAt: '2026-02-02T00:00:00Z' };
    const table = tableOf(
      triggerOf('registering', v.record, {}, { state: 'registering' }),
      triggerOf('deleted', v.record, {}, { state: 'deleted' }),
      triggerOf('disabled', v.record, {}, { enabled: false }),
      triggerOf('later', again, { box: '0:1,0:1,0:1' }),
    );
    expect(names(table.matching(v, put('0:1,0:1'), all))).toEqual(['registering']);
    const later = { run: 'r', step: 0, box: makeBox([0, 0, 0], [2, 2, 2]) };
    expect(names(table.matching(new VariableIndex(again), later, all))).toEqual(['later']);
  });

  test('follow their records', () => {
    const table = tableOf(triggerOf('a', v.record, { box: '0:4,0:4' }));
    table.set('a', triggerOf('a', v.record, { box: '8:16,8:16' }, { generation: 2 }));
    expect(table.matching(v, put('0:4,0:4'), all)).toEqual([]);
    expect(names(table.matching(v, put('8:9,8:9'), all))).toEqual(['a']);
    table.set('a', triggerOf('a', v.record, { box: '8:16,8:16' }, { enabled: false }));
    expect(table.matching(v, put('8:9,8:9'), all)).toEqual([]);
    table.set('a', triggerOf('a', v.record, { box: '8:16,8:16' }));
    table.set('a', undefined);
    table.set('never', undefined);
    expect(table.matching(v, put('8:9,8:9'), all)).toEqual([]);
  });

  test('a record that no engine writes is refused, and what it replaces is gone', () => {
    const table = tableOf(triggerOf('a', v.record, { box: '0:4,0:4' }), triggerOf('b', v.record, { box: '0:4,0:4' }));
    expect(() => table.set('a', triggerOf('a', v.record, { box: '4:0,0:4' }))).toThrow('4:0');
    expect(names(table.matching(v, put('0:4,0:4'), all))).toEqual(['b']);
  });
});

test('any set of shards tells those triggers that share cells with the partition in one of them', () => {
  const random = seededRandom(5);
  const record = variableOf('v', [13, 9]);
  const variable = new VariableIndex(record);
  const table = new TriggerPointers();
  const records = new Map<string, TriggerRecord>();
  for (let round = 0; round < 400; round++) {
    const name = `t${random.int(0, 60)}`;
    const box = formatBox(randomBox(random, record.shape));
    const fresh = triggerOf(name, record, { box, every: 1 + random.int(0, 3) }, { enabled: random.int(0, 4) > 0 });
    records.set(name, fresh);
    table.set(name, fresh);
    const entry = { run: 'r', step: random.int(0, 6), box: randomBox(random, record.shape) };
    const shards = variable.map.touched.filter(() => random.int(0, 2) === 0);
    const expected = [...records.values()].filter(({ definition: { on }, enabled }) => {
      const watched = variable.map.touched.filter((shard) => shards.includes(shard));
      const [lower, upper] = [0, 1].map((end) => (on.box ?? '').split(',').map((part) => Number(part.split(':')[end])));
      const shared = intersect(makeBox(lower ?? [], upper ?? []), entry.box);
      if (!enabled || !appliesTo(on, 'r', entry.step) || shared === undefined) return false;
      return watched.some((shard) => variable.map.clip(shared, shard).length > 0);
    });
    expect(names(table.matching(variable, entry, shards))).toEqual(expected.map((one) => one.name).sort());
  }
});
