import { describe, expect, test } from '@jest/globals';
import { parseRequest, type TriggerDefinitionInput, triggerDefinitionSchema } from '@tidegate/protocol';
import { completeDefinition, definitionDigest, triggerTree } from '../definition.js';

const SHAPE = [8, 8];

function complete(definition: unknown, shape: readonly number[] = SHAPE) {
  return completeDefinition(parseRequest(triggerDefinitionSchema, definition), shape);
}

const NESTED: TriggerDefinitionInput = {
  name: 'a',
  on: { variable: 'T' },
  action: [
    { persist: {} },
    { trigger: { name: 'b', action: [{ trigger: { name: 'c', check: { n: { components: { above: 1 } } } } }] } },
    { trigger: { name: 'd' } },
  ],
};

describe('completeDefinition', () => {
  test('fills in the box, bins, neighbours and limits, in nested triggers as well', () => {
    const checks = {
      h: { reduce: 'histogram', range: [0, 1] },
      e: { reduce: 'entropy', range: [0, 1] },
      n: { components: { above: 1 } },
      w: { wasm: { digest: `sha256:${'a'.repeat(64)}`, export: 'f' } },
      m: { reduce: 'max' },
    };
    const completed = complete({
      name: 'a',
      on: { variable: 'T' },
      check: checks,
      action: [{ trigger: { name: 'b', check: checks } }],
    });
    const expected = {
      h: { reduce: 'histogram', range: [0, 1], bins: 64 },
      e: { reduce: 'entropy', range: [0, 1], bins: 64 },
      n: { components: { above: 1, connectivity: 4 } },
      w: { ...checks.w, limits: { ms: 50, pages: 256 } },
      m: { reduce: 'max' },
    };
    expect(completed.on.box).toBe('0:8,0:8');
    expect(completed.check).toEqual(expected);
    expect(completed.action[0]?.trigger?.check).toEqual(expected);
  });

  test('is at rest once complete', () => {
    const once = complete(NESTED);
    expect(complete(once)).toEqual(once);
  });
});

describe('definitionDigest', () => {
  const base = { name: 'a', on: { variable: 'T' }, check: { m: { reduce: 'max' }, n: { reduce: 'min' } } };

  test('is the same for the same meaning', () => {
    const same = [
      base,
      { ...base, on: { variable: 'T', box: '0:8,0:8', run: '*', every: 1, when: 'covered' } },
      { ...base, on: { when: 'covered', box: { lower: [0, 0], upper: [8, 8] }, variable: 'T' } },
      { check: { n: { reduce: 'min' }, m: { reduce: 'max' } }, on: { variable: 'T' }, name: 'a' },
      { ...base, compare: { condition: 'true', history: 8 }, action: [] },
    ];
    expect(new Set(same.map((definition) => definitionDigest(complete(definition)))).size).toBe(1);
  });

  test('is another for any other', () => {
    const others = [
      base,
      { ...base, name: 'b' },
      { ...base, on: { variable: 'T', box: '0:8,0:4' } },
      { ...base, on: { variable: 'T', every: 2 } },
      { ...base, check: { m: { reduce: 'max' } } },
      { ...base, compare: { for: 2 } },
      { ...base, action: [{ persist: {} }, { pin: {} }] },
      { ...base, action: [{ pin: {} }, { persist: {} }] },
      { ...base, action: [{ emit: { data: { a: 1 } } }] },
    ];
    const digests = others.map((definition) => definitionDigest(complete(definition)));
    expect(new Set(digests).size).toBe(others.length);
    for (const digest of digests) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

test('a tree lists its triggers, parents first, with their full names and paths', () => {
  const nodes = triggerTree(complete(NESTED));
  expect(nodes.map(({ name, parent, level, path }) => ({ name, parent, level, path }))).toEqual([
    { name: 'a', parent: undefined, level: 1, path: '' },
    { name: 'a~b', parent: 'a', level: 2, path: 'action.1.trigger' },
    { name: 'a~d', parent: 'a', level: 2, path: 'action.2.trigger' },
    { name: 'a~b~c', parent: 'a~b', level: 3, path: 'action.1.trigger.action.0.trigger' },
  ]);
  for (const { scope } of nodes) expect(scope).toEqual(nodes[0]?.scope);
});
