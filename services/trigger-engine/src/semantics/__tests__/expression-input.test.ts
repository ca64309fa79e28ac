import { describe, expect, test } from '@jest/globals';
import type { CheckType, CheckValue } from '../check-value.js';
import { EXPRESSION_LIMITS } from '../expression-bounds.js';
import { type ExpressionInput, evaluationContext, HistoryView, PartView, reasonOf } from '../expression-input.js';

const INPUT: ExpressionInput = {
  run: 'r',
  variable: 'T',
  step: 7,
  epoch: 1,
  time: 86_400_000,
  values: new Map(),
  failures: new Map([['mx', 'no kernel']]),
  parts: [],
  series: new Map(),
};

function convert(type: CheckType, value: CheckValue) {
  const input = { ...INPUT, values: new Map([['mx', value]]) };
  const { variables, missing } = evaluationContext(new Set(['mx']), new Map([['mx', { type }]]), input);
  return { value: variables.get('mx'), missing: missing.get('mx') };
}

describe('evaluationContext', () => {
  test('gives integers as bigint, moments as dates', () => {
    const { variables } = evaluationContext(new Set(), new Map(), INPUT);
    expect(Object.fromEntries(variables)).toMatchObject({ run: 'r', variable: 'T', step: 7n, epoch: 1n });
    expect(variables.get('time')).toEqual(new Date('1970-01-02T00:00:00Z'));
  });

  test('converts by type', () => {
    expect(convert('double', 1.5).value).toBe(1.5);
    expect(convert('double', Number.NaN).value).toBe(Number.NaN);
    expect(convert('int', 3).value).toBe(3n);
    expect(convert('list<int>', [1, 2]).value).toEqual([1n, 2n]);
    expect(convert('dyn', { a: [1, null] }).value).toEqual({ a: [1, null] });
  });

  test('what does not fit its type is missing, with the reason', () => {
    const misfits: [CheckType, CheckValue][] = [
      ['double', '1'],
      ['int', 1.5],
      ['int', 2 ** 53],
      ['list<int>', [1.5]],
      ['list<int>', 3],
    ];
    for (const [type, value] of misfits) {
      expect(convert(type, value)).toEqual({ value: undefined, missing: expect.stringContaining(`expected ${type}`) });
    }
  });

  test('answers of unbounded size are missing', () => {
    const most = EXPRESSION_LIMITS.dynamicValues;
    const large: CheckValue[] = [
      Array(most).fill(0),
      'x'.repeat(most),
      { a: { b: Array.from({ length: 100 }, () => Array(50).fill(1)) } },
    ];
    for (const value of large) expect(convert('dyn', value).missing).toMatch(/more than 4096/);
    expect(convert('dyn', Array(most - 1).fill(null)).missing).toMatch(/more than/);
    expect(convert('dyn', Array(most / 2 - 1).fill(null)).missing).toBeUndefined();
  });

  test('checks that failed are missing with what failed', () => {
    const checks = new Map([
      ['mx', { type: 'double' as const }],
      ['mn', { type: 'double' as const }],
    ]);
    const { missing } = evaluationContext(new Set(['mx']), checks, INPUT);
    expect(Object.fromEntries(missing)).toEqual({ mx: 'no kernel', mn: 'it was not computed' });
  });

  test('gives pieces with the checks that they have, and only where they are read', () => {
    const checks = new Map([['mx', { type: 'int' as const }]]);
    const input = {
      ...INPUT,
      parts: [
        { box: '0:1', bytes: 8, values: new Map([['mx', 1]]) },
        { box: '1:2', bytes: 16, values: new Map() },
      ],
    };
    const { variables } = evaluationContext(new Set(['parts']), checks, input);
    const parts = variables.get('parts') as PartView[];
    expect(parts.every((part) => part instanceof PartView)).toBe(true);
    expect(parts.map((part) => ({ ...part }))).toEqual([
      { box: '0:1', bytes: 8n, mx: 1n },
      { box: '1:2', bytes: 16n },
    ]);
    expect(evaluationContext(new Set(), checks, input).variables.has('parts')).toBe(false);
  });

  test('too many pieces are missing', () => {
    const parts = Array(EXPRESSION_LIMITS.parts + 1).fill({ box: '0:1', bytes: 1, values: new Map() });
    const { variables, missing } = evaluationContext(new Set(['parts']), new Map(), { ...INPUT, parts });
    expect(variables.has('parts')).toBe(false);
    expect(missing.get('parts')).toMatch(/16385 pieces/);
    const unread = evaluationContext(new Set(['parts']), new Map(), { ...INPUT, parts: { unknown: 'gone' } });
    expect(unread.missing.get('parts')).toBe('gone');
  });

  test('series are fields of the history, their steps beside them', () => {
    const input = { ...INPUT, series: new Map([['mx', { values: [2, 1], steps: [7, 5] }]]) };
    const { variables, series } = evaluationContext(new Set(), new Map(), input);
    const history = variables.get('history');
    expect(history).toBeInstanceOf(HistoryView);
    expect({ ...(history as HistoryView) }).toEqual({ mx: [2, 1] });
    expect(series).toEqual([
      [
        [2, 1],
        [7, 5],
      ],
    ]);
  });
});

test('reasonOf names the check that is missing, and otherwise says the problem', () => {
  const missing = new Map([
    ['mx', 'no kernel'],
    ['parts', 'gone'],
  ]);
  const unknown = (args: unknown, op = 'id', code = 'unknown_variable') =>
    Object.assign(new Error('m'), { code, summary: 's', node: { op, args } });
  expect(reasonOf(unknown('mx'), missing)).toBe('check mx: no kernel');
  expect(reasonOf(unknown('parts'), missing)).toBe('parts: gone');
  expect(reasonOf(unknown([{}, 'mx'], '.', 'no_such_key'), missing)).toBe('check mx: no kernel');
  expect(reasonOf(unknown('mx', 'id', 'other'), missing)).toBe('s');
  expect(reasonOf(unknown('zz'), missing)).toBe('s');
  expect(reasonOf(new RangeError('too few'), missing)).toBe('too few');
});
