import { describe, expect, test } from '@jest/globals';
import { formatBox } from '@tidegate/geometry';
import fc from 'fast-check';
import { z } from 'zod';
import {
  boxSchema,
  parseRequest,
  type StepSelection,
  selects,
  stepsSchema,
  ulidSchema,
  waitSchema,
} from '../common-schema.js';
import { BadRequestError } from '../errors.js';

const schema = z.strictObject({
  box: boxSchema.optional(),
  steps: stepsSchema.optional(),
  inner: z.strictObject({ list: z.array(z.strictObject({ n: z.number() })) }).optional(),
});

function refusal(map: unknown, against: z.ZodType = schema): BadRequestError {
  try {
    parseRequest(against, map);
  } catch (error) {
    if (error instanceof BadRequestError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(map)}`);
}

describe('parseRequest', () => {
  test('names unknown keys, all of them, and where they are', () => {
    expect(refusal({ bx: 1, stepz: 2 })).toMatchObject({ field: 'bx', message: 'unknown key "bx", "stepz"' });
    expect(refusal({ inner: { list: [], more: 1 } }).field).toBe('inner.more');
    expect(refusal({ inner: { list: [{ n: 1 }, { n: 2, m: 3 }] } }).field).toBe('inner.list.1.m');
    expect(refusal(JSON.parse('{"__proto__":{}}')).message).toBe('unknown key "__proto__"');
    expect(refusal({ '': 1 }).field).toBe('body');
  });

  test('bounds what it says of unknown keys, in one line', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`k${at}${'x'.repeat(200)}`, at]));
    const { message, field } = refusal(many);
    expect(message.length).toBeLessThan(1600);
    expect(message).toContain('and 984 more');
    expect(field.length).toBeLessThanOrEqual(80);
    expect(refusal({ 'a\r\nb': 1 }).message).not.toMatch(/[\r\n]/);
  });

  test('names the path of a wrong value, what was expected and what came', () => {
    const error = refusal({ inner: { list: [{ n: 1 }, { n: 'x' }] } });
    expect(error.field).toBe('inner.list.1.n');
    expect(error.message).toBe('inner.list.1.n: Invalid input: expected number, received string, got "x"');
    expect(refusal({ inner: {} }).message).toContain('got nothing');
    expect(refusal({ inner: { list: new Uint8Array(1_000_000) } }).message).toContain('<1000000 bytes>');
    expect(refusal({ inner: 'x'.repeat(10_000) }).message.length).toBeLessThan(300);
  });

  test.each([null, undefined, [], 5, 'x', true])('refuses %j as a whole', (map) => {
    expect(refusal(map).field).toBe('body');
  });

  test('takes no method of the prototype for a key', () => {
    expect(parseRequest(schema, {})).toEqual({});
  });
});

describe('boxSchema', () => {
  test('takes both forms and answers the text form', () => {
    const range = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 6 }), (ranges) => {
        const box = { lower: ranges.map(([lower]) => lower), upper: ranges.map(([lower, size]) => lower + size) };
        expect(parseRequest(schema, { box })).toEqual({ box: formatBox(box) });
        expect(parseRequest(schema, { box: formatBox(box) })).toEqual({ box: formatBox(box) });
      }),
    );
  });

  test.each<[unknown]>([
    [''],
    ['x'],
    ['4:0'],
    ['0:1,'],
    [5],
    [null],
    [[0, 1]],
    [{}],
    [{ lower: [0] }],
    [{ lower: [], upper: [] }],
    [{ lower: [4], upper: [0] }],
    [{ lower: [0], upper: [0] }],
    [{ lower: [0, 0], upper: [1] }],
    [{ lower: [-1], upper: [1] }],
    [{ lower: [0.5], upper: [1] }],
    [{ lower: ['0'], upper: [1] }],
    [{ lower: [0], upper: [2 ** 53] }],
    [{ lower: [0, 0, 0, 0, 0, 0, 0], upper: [1, 1, 1, 1, 1, 1, 1] }],
    [{ lower: [0], upper: [1], step: 1 }],
  ])('refuses %j and names the box', (box) => {
    const { field, message } = refusal({ box });
    expect(field).toMatch(/^box(\.|$)/);
    expect(message).toMatch(/expected|unknown key/);
  });
});

describe('steps', () => {
  test.each<[unknown]>([
    [-1],
    [1.5],
    [2 ** 53],
    [Number.NaN],
    ['1'],
    ['1:'],
    [':1'],
    ['01:2'],
    ['5:5'],
    ['5:4'],
    ['0:9007199254740992'],
    ['a:b'],
    ['1:2,3:4'],
    [[]],
    [[1, -1]],
    [[1, '2']],
    [Array.from({ length: 10_001 }, (_, step) => step)],
    [null],
    [{}],
    [true],
  ])('refuses %j', (steps) => {
    const { field, message } = refusal({ steps });
    expect(field).toMatch(/^steps(\.|$)/);
    expect(message).toMatch(/expected/);
  });

  test('a selection selects what it lists', () => {
    const step = fc.nat(20);
    const selection: fc.Arbitrary<StepSelection> = fc.oneof(
      step,
      fc.array(step, { minLength: 1 }),
      fc.tuple(step, fc.integer({ min: 1, max: 9 })).map(([lower, size]) => `${lower}:${lower + size}`),
    );
    const listed = (chosen: StepSelection): readonly number[] => {
      if (typeof chosen === 'number') return [chosen];
      if (typeof chosen !== 'string') return chosen;
      const [lower = 0, upper = 0] = chosen.split(':').map(Number);
      return Array.from({ length: upper - lower }, (_, at) => lower + at);
    };
    fc.assert(
      fc.property(selection, (chosen) => {
        expect(parseRequest(schema, { steps: chosen })).toEqual({ steps: chosen });
        const expected = new Set(listed(chosen));
        for (let at = 0; at < 32; at++) expect(selects(chosen, at)).toBe(expected.has(at));
      }),
    );
  });

  test('ranges are half-open up to the last step', () => {
    expect(selects('3:5', 2)).toBe(false);
    expect(selects('3:5', 3)).toBe(true);
    expect(selects('3:5', 4)).toBe(true);
    expect(selects('3:5', 5)).toBe(false);
    expect(selects('0:9007199254740991', Number.MAX_SAFE_INTEGER - 1)).toBe(true);
  });
});

test('waits and ids', () => {
  expect(waitSchema.safeParse(86_400_000).success).toBe(true);
  expect(waitSchema.safeParse(86_400_001).success).toBe(false);
  expect(ulidSchema.safeParse('01ARZ3NDEKTSV4RRFFQ69G5FAV').success).toBe(true);
  expect(refusal({ id: 'x' }, z.strictObject({ id: ulidSchema })).message).toContain('expected a ULID');
});
