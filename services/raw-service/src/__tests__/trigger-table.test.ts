import { describe, expect, test } from '@jest/globals';
import { TriggerTable } from '../trigger-table.js';
import { sampleTrigger } from './trigger-samples.js';

describe('TriggerTable', () => {
  test('lists what decides something, by variable, and says whom a change concerns', () => {
    const table = new TriggerTable();
    const names = (variable: string) => table.of(variable).map(({ name, generation }) => `${name}${generation}`);
    expect(table.set('a', sampleTrigger('a'))).toEqual(['T']);
    expect(table.set('b', sampleTrigger('b', { state: 'registering' }))).toEqual(['T']);
    expect([names('T'), names('U')]).toEqual([['a1', 'b1'], []]);
    expect(table.set('a', sampleTrigger('a', { generation: 2 }))).toEqual(['T']);
    expect(names('T')).toEqual(['b1', 'a2']);
    expect(table.set('a', sampleTrigger('a', { generation: 3, variable: 'U' }))).toEqual(['T', 'U']);
    expect([names('T'), names('U')]).toEqual([['b1'], ['a3']]);
    expect(table.set('b', sampleTrigger('b', { enabled: false }))).toEqual(['T']);
    expect(table.set('a', sampleTrigger('a', { variable: 'U', state: 'deleted' }))).toEqual(['U']);
    expect(table.set('a', undefined)).toEqual([]);
    expect([names('T'), names('U')]).toEqual([[], []]);
    expect(table.set('b', sampleTrigger('b'))).toEqual(['T']);
    expect(table.set('b', undefined)).toEqual(['T']);
    expect(names('T')).toEqual([]);
  });
});
