import { describe, expect, test } from '@jest/globals';
import type { PartitionRecord } from '@tidegate/protocol';
import fc from 'fast-check';
import { StepCatalog, seriesKey } from '../step-catalog.js';
import { sampleRecord } from './partition-samples.js';

describe('StepCatalog', () => {
  test('agrees with a plain list under any additions and removals', () => {
    const choice = fc.record({
      variable: fc.constantFrom('A', 'B'),
      step: fc.nat({ max: 8 }),
      remove: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(fc.array(choice, { maxLength: 60 }), (choices) => {
        const catalog = new StepCatalog();
        const model: PartitionRecord[] = [];
        for (const { variable, step, remove } of choices) {
          if (remove === null) {
            const record = sampleRecord({ variable, step });
            model.push(record);
            catalog.add(record);
            catalog.add(record);
          } else {
            const [record] = model.splice(remove % (model.length || 1), 1);
            if (record === undefined) continue;
            catalog.remove(record);
            catalog.remove(record);
          }
        }
        expect([...catalog.keys()].sort()).toEqual([...new Set(model.map((r) => seriesKey(r.variable, r.run)))].sort());
        for (const variable of ['A', 'B']) {
          const records = model.filter((record) => record.variable === variable);
          const steps = [...new Set(records.map(({ step }) => step))].sort((a, b) => a - b);
          const key = seriesKey(variable, 'default');
          expect(catalog.steps(key)).toEqual(steps);
          const groups = [...catalog.groups(key)];
          expect(groups.map(({ step }) => step)).toEqual(steps);
          for (const group of groups) {
            const members = records.filter(({ step }) => step === group.step);
            expect([...group.partitions.values()]).toEqual(members);
            expect(group.bytes).toBe(members.reduce((sum, { bytes }) => sum + bytes, 0));
            expect(group.stamp).toBeLessThanOrEqual(Math.min(...members.map(({ stamp }) => stamp)));
          }
        }
      }),
    );
  });
});
