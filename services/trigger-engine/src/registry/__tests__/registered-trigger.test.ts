import { expect, test } from '@jest/globals';
import { variableHandle } from '@tidegate/client/region';
import { triggerRecord, variableRecord } from '../../__tests__/records.js';
import { compileRecord } from '../registered-trigger.js';

test('a record becomes a trigger that is ready to decide', () => {
  const variable = variableRecord();
  const record = triggerRecord(
    { name: 't', on: { variable: 'T', box: '2:6' }, compare: { for: 2 }, action: [{ trigger: { name: 'c' } }] },
    variable,
  );
  const compiled = compileRecord(record, variableHandle(variable));
  expect(compiled.box).toEqual({ lower: [2], upper: [6] });
  expect([...compiled.nodes.keys()]).toEqual(['t', 't~c']);
  expect(compiled.root.name).toBe('t');
  expect([compiled.byPartition, compiled.valid.ordered]).toEqual([false, true]);
  // What the registry keeps is complete: compiling it changes nothing.
  expect(compiled.valid.digest).toBe(record.digest);
});

test('one that does not fit its variable any more is refused', () => {
  const record = triggerRecord({ name: 't', on: { variable: 'T', box: '2:6' } }, variableRecord());
  expect(() => compileRecord(record, variableHandle(variableRecord({ shape: [4] })))).toThrow(/on.box/);
});
