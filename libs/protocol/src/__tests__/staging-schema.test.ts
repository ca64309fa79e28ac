import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseRequest } from '../common-schema.js';
import { BadRequestError } from '../errors.js';
import {
  deleteSchema,
  pinSchema,
  putOpenSchema,
  querySchema,
  regionSchema,
  rollbackSchema,
  stepsRequestSchema,
} from '../staging-schema.js';

interface Case {
  readonly schema: z.ZodType;
  readonly least: Readonly<Record<string, unknown>>;
  /** What the least request becomes. */
  readonly filled: Readonly<Record<string, unknown>>;
  readonly most: Readonly<Record<string, unknown>>;
  readonly wrong: readonly Readonly<Record<string, unknown>>[];
}

const run = { run: 'default' };
const CASES: Readonly<Record<string, Case>> = {
  putOpen: {
    schema: putOpenSchema,
    least: { variable: 'T', step: 1, bytes: 8 },
    filled: { ...run, wait: 0 },
    most: {
      variable: 'T',
      run: 'r',
      step: 1,
      box: '0:4',
      bytes: 0,
      id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      wait: 5,
      annotation: { sensor: 's' },
      derivedFrom: [{ variable: 'T', step: 0 }],
      activity: 'a',
      digest: `sha256:${'0'.repeat(64)}`,
    },
    wrong: [
      { bytes: -1 },
      { bytes: '8' },
      { id: 'x' },
      { wait: -1 },
      { annotation: 5 },
      { digest: 'x' },
      { activity: 1 },
    ],
  },
  query: {
    schema: querySchema,
    least: { variable: 'T', step: 1 },
    filled: { ...run, wait: 0 },
    most: { variable: 'T', run: 'r', step: 1, box: '0:4', wait: 9 },
    wrong: [{ step: '1' }, { box: 4 }, { wait: 86_400_001 }, { run: '' }],
  },
  steps: {
    schema: stepsRequestSchema,
    least: { variable: 'T' },
    filled: { ...run, wait: 0 },
    most: { variable: 'T', run: 'r', after: -1, wait: 1 },
    wrong: [{ after: -2 }, { after: 0.5 }, { after: '1' }],
  },
  delete: {
    schema: deleteSchema,
    least: { variable: 'T', steps: 3 },
    filled: run,
    most: { variable: 'T', run: 'r', steps: '3:5', box: '0:4' },
    wrong: [{ steps: [] }, { steps: 'all' }, { box: '' }],
  },
  pin: {
    schema: pinSchema,
    least: { variable: 'T', steps: [3] },
    filled: run,
    most: { variable: 'T', run: 'r', steps: 3, reason: 'why' },
    wrong: [{ steps: -1 }, { reason: 5 }, { reason: 'x'.repeat(513) }],
  },
  rollback: {
    schema: rollbackSchema,
    least: { run: 'r', toStep: 3 },
    filled: {},
    most: { run: 'r', variables: ['T'], toStep: 3, reason: 'why' },
    wrong: [{ toStep: -1 }, { variables: [] }, { variables: ['a b'] }, { run: 5 }],
  },
  region: {
    schema: regionSchema,
    least: { variable: 'T', step: 0 },
    filled: {},
    most: { run: 'r', variable: 'T', step: 0, box: '0:1' },
    wrong: [{ box: {} }, { run: 'a.b' }, { step: null }],
  },
};

describe.each(Object.entries(CASES))('%s', (_, { schema, least, filled, most, wrong }) => {
  test('fills in the least request and keeps the fullest', () => {
    expect(parseRequest(schema, least)).toEqual({ ...least, ...filled });
    expect(parseRequest(schema, most)).toEqual(most);
  });

  test('needs every key of the least request', () => {
    for (const key of Object.keys(least)) {
      const { [key]: _left, ...rest } = least;
      expect(() => parseRequest(schema, rest)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', field: key }));
    }
  });

  test('refuses wrong values and unknown keys, and names them', () => {
    for (const values of [...wrong, { unheard: 1 }]) {
      const [key = ''] = Object.keys(values);
      const field = expect.stringMatching(new RegExp(`^${key}(\\.|$)`));
      expect(() => parseRequest(schema, { ...most, ...values })).toThrow(expect.objectContaining({ field }));
      expect(() => parseRequest(schema, { ...most, ...values })).toThrow(BadRequestError);
    }
  });

  test('has a JSON schema of what it takes', () => {
    const { required, additionalProperties } = z.toJSONSchema(schema, { io: 'input' });
    expect(required).toEqual(
      Object.keys(least).sort((a, b) => Object.keys(most).indexOf(a) - Object.keys(most).indexOf(b)),
    );
    expect(additionalProperties).toBe(false);
  });
});
