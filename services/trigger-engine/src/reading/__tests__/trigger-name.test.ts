import { expect, it } from '@jest/globals';
import type { TriggerRecord } from '@tidegate/protocol';
import { validateDefinition } from '../../semantics/index.js';
import { hasTrigger, parentOf, rootOf } from '../trigger-name.js';

it('takes a full name apart', () => {
  expect([rootOf('a'), rootOf('a~b~c')]).toEqual(['a', 'a']);
  expect([parentOf('a'), parentOf('a~b'), parentOf('a~b~c')]).toEqual([undefined, 'a', 'a~b']);
});

it('finds the triggers of a definition by their full names alone', () => {
  const map = {
    name: 'a',
    on: { variable: 'T' },
    action: [{ trigger: { name: 'b', action: [{ trigger: { name: 'c' } }] } }],
  };
  const { definition } = validateDefinition(map, { variable: { name: 'T', dtype: 'float64', shape: [8] } });
  const record = { definition } as unknown as TriggerRecord;
  const names = ['a', 'a~b', 'a~b~c', 'b', 'a~c', ''];
  expect(names.filter((name) => hasTrigger(record, name))).toEqual(['a', 'a~b', 'a~b~c']);
});
