import { describe, expect, test } from '@jest/globals';
import { DTYPES } from '@tidegate/array';
import { createShardMap } from '@tidegate/geometry';
import fc from 'fast-check';
import { parseRequest } from '../common-schema.js';
import { BadRequestError } from '../errors.js';
import { declareSchema, emptySchema, variableNameSchema } from '../variable-schema.js';

const MINIMAL = { name: 'T', dtype: 'float64', shape: [4, 8] };

function refusedField(map: unknown): string {
  try {
    parseRequest(declareSchema, map);
  } catch (error) {
    if (error instanceof BadRequestError) return error.field;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(map)}`);
}

describe('declareSchema', () => {
  test('fills in the defaults', () => {
    expect(parseRequest(declareSchema, MINIMAL)).toEqual({
      ...MINIMAL,
      window: 10,
      onEvict: 'spill',
      durability: 'memory',
      annotation: 'optional',
    });
  });

  test('keeps what is given', () => {
    const full = {
      ...MINIMAL,
      window: 3,
      onEvict: 'drop',
      durability: 'durable',
      layout: [2, 8],
      annotation: 'required',
    };
    expect(parseRequest(declareSchema, full)).toEqual(full);
  });

  test('takes every element type', () => {
    for (const dtype of DTYPES) expect(parseRequest(declareSchema, { ...MINIMAL, dtype }).dtype).toBe(dtype);
  });

  test('a layout has the rank of the shape and no more blocks than cells', () => {
    for (const layout of [[2], [2, 2, 2], [5, 1], [1, 9]]) expect(refusedField({ ...MINIMAL, layout })).toBe('layout');
    expect(parseRequest(declareSchema, { ...MINIMAL, layout: [4, 8] }).layout).toEqual([4, 8]);
    expect(refusedField({ ...MINIMAL, shape: [65_536, 65_536], layout: [65_536, 17] })).toBe('layout');
  });

  test('a domain has at most 2^53-1 cells', () => {
    const largest = Number.MAX_SAFE_INTEGER;
    for (const shape of [[largest], [largest, 1], [6361, 69431, 20394401]]) {
      expect(parseRequest(declareSchema, { ...MINIMAL, shape }).shape).toEqual(shape);
    }
    for (const shape of [[largest, 2], [2 ** 27, 2 ** 26], [2 ** 53], Array.from({ length: 6 }, () => 2 ** 40)]) {
      expect(refusedField({ ...MINIMAL, shape })).toMatch(/^shape/);
    }
  });

  test('takes the shapes and layouts that a shard map takes, and no other', () => {
    const rank = fc.integer({ min: 1, max: 6 });
    const declared = rank.chain((dimensions) =>
      fc.record({
        shape: fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: dimensions, maxLength: dimensions }),
        layout: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: dimensions, maxLength: dimensions }),
      }),
    );
    fc.assert(
      fc.property(declared, ({ shape, layout }) => {
        const parsed = declareSchema.safeParse({ ...MINIMAL, shape, layout });
        let mapped = true;
        try {
          createShardMap({ shape, layout, shards: 4 });
        } catch {
          mapped = false;
        }
        expect(parsed.success).toBe(mapped);
      }),
      { numRuns: 60 },
    );
  });

  test.each<[string, readonly unknown[]]>([
    ['name', [undefined, null, 5, '', 'a.b', 'x'.repeat(65), ['T'], {}]],
    ['dtype', [undefined, null, 5, 'float', 'FLOAT32', 'toString', ['int8'], '<f8']],
    ['shape', [undefined, null, 4, '4', [], {}, [0], [-1], [1.5], ['4'], [null], [[4]], [1, 1, 1, 1, 1, 1, 1]]],
    ['window', [null, 0, -1, 1.5, '10', 1_000_001, [], true, Number.NaN]],
    ['onEvict', [null, 'keep', 5, '', ['drop']]],
    ['durability', [null, 'disk', 5, '', true]],
    ['layout', [null, [], [0], [1.5, 1], ['1', '1'], 2, '2,2', [65_537, 1], [1, 1, 1, 1, 1, 1, 1]]],
    ['annotation', [null, true, 'yes', 5, {}]],
  ])('refuses a wrong %s and names it', (key, values) => {
    for (const value of values) {
      expect(refusedField({ ...MINIMAL, [key]: value })).toMatch(new RegExp(`^${key}(\\.|$)`));
    }
  });

  test('refuses unknown keys', () => {
    expect(refusedField({ ...MINIMAL, shards: 4 })).toBe('shards');
  });
});

test('a name alone, and nothing at all', () => {
  expect(parseRequest(variableNameSchema, { name: 'T' })).toEqual({ name: 'T' });
  expect(() => parseRequest(variableNameSchema, { name: 'T', x: 1 })).toThrow('unknown key "x"');
  expect(() => parseRequest(variableNameSchema, {})).toThrow(BadRequestError);
  expect(parseRequest(emptySchema, {})).toEqual({});
  expect(() => parseRequest(emptySchema, { a: 1 })).toThrow('unknown key "a"');
});
