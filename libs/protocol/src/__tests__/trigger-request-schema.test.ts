import { describe, expect, test } from '@jest/globals';
import { parseRequest } from '../common-schema.js';
import { BadRequestError } from '../errors.js';
import {
  fullNameSchema,
  triggerDecisionsSchema,
  triggerExplainSchema,
  triggerListSchema,
  triggerNameSchema,
  triggerTestDocumentSchema,
  triggerTestSchema,
} from '../trigger-request-schema.js';

type Schema = Parameters<typeof parseRequest>[0];

/** The key path that a refused request points at; none where it passes. */
function refusedAt(schema: Schema, map: Readonly<Record<string, unknown>>): string | undefined {
  try {
    parseRequest(schema, map);
    return undefined;
  } catch (error) {
    if (error instanceof BadRequestError) return error.field;
    throw error;
  }
}

test('the name of a nested trigger has those that it is in, four at most', () => {
  for (const name of ['hot', 'hot~confirm', 'a~b~c~d', 'A_-9'.repeat(16)]) {
    expect([name, fullNameSchema.safeParse(name).success]).toEqual([name, true]);
  }
  for (const name of ['', '~', 'hot~', '~hot', 'a~~b', 'a~b~c~d~e', 'a.b', 'x'.repeat(65)]) {
    expect([name, fullNameSchema.safeParse(name).success]).toEqual([name, false]);
  }
});

describe('what is left out', () => {
  test('is the default run, and a hundred decisions', () => {
    expect(parseRequest(triggerTestSchema, { definition: {}, steps: '0:3' })).toEqual({
      definition: {},
      run: 'default',
      steps: '0:3',
    });
    expect(parseRequest(triggerExplainSchema, { name: 'hot', step: 7 })).toEqual({
      name: 'hot',
      run: 'default',
      step: 7,
    });
    expect(parseRequest(triggerDecisionsSchema, { name: 'hot' })).toEqual({ name: 'hot', limit: 100 });
    expect(parseRequest(triggerListSchema, {})).toEqual({});
  });
});

test.each([
  [triggerNameSchema, {}, 'name'],
  [triggerNameSchema, { name: 'hot~confirm' }, 'name'],
  [triggerNameSchema, { name: 'hot', extra: 1 }, 'extra'],
  [triggerListSchema, { variable: 'a b' }, 'variable'],
  [triggerTestSchema, { steps: 3 }, 'definition'],
  [triggerTestSchema, { definition: [], steps: 3 }, 'definition'],
  [triggerTestSchema, { definition: {} }, 'steps'],
  [triggerTestDocumentSchema, { definition: { name: 'hot' }, steps: 3 }, 'definition.on'],
  [triggerExplainSchema, { name: 'hot', step: -1 }, 'step'],
  [triggerExplainSchema, { name: 'a~b~c~d~e', step: 1 }, 'name'],
  [triggerDecisionsSchema, { name: 'hot', limit: 0 }, 'limit'],
  [triggerDecisionsSchema, { name: 'hot', limit: 1001 }, 'limit'],
  [triggerDecisionsSchema, { name: 'hot', cursor: 'x'.repeat(65) }, 'cursor'],
  [triggerDecisionsSchema, { name: 'hot', generation: 0 }, 'generation'],
] as const)('a bad request names its key: case %#', (schema, map, field) => {
  expect(refusedAt(schema, map)).toBe(field);
});

test('whole requests pass', () => {
  const test = { definition: { name: 'hot', on: { variable: 'T' } }, run: 'r', steps: [1, 2] };
  expect(parseRequest(triggerTestSchema, test)).toEqual(test);
  expect(refusedAt(triggerTestDocumentSchema, test)).toBeUndefined();
  const decisions = { name: 'hot~confirm', run: 'r', from: 3, limit: 5, cursor: 'c', generation: 1 };
  expect(parseRequest(triggerDecisionsSchema, decisions)).toEqual(decisions);
});
