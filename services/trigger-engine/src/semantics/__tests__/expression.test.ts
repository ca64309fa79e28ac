import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CheckValue } from '../check-value.js';
import { isKnown } from '../compare-state.js';
import { type CheckShape, checkNameFault, ExpressionCompiler } from '../expression.js';
import { ExpressionError } from '../expression-error.js';
import type { ExpressionInput } from '../expression-input.js';

const CHECKS = new Map<string, CheckShape>([
  ['mx', { type: 'double', length: 1 }],
  ['mn', { type: 'double', length: 1 }],
  ['bad', { type: 'int', length: 1 }],
  ['hist', { type: 'list<int>', length: 4 }],
  ['ext', { type: 'dyn', length: 1 }],
]);
const compiler = new ExpressionCompiler({ checks: CHECKS, historyDepth: 4 });

const INPUT: ExpressionInput = {
  run: 'r1',
  variable: 'T',
  step: 12,
  epoch: 1,
  time: Date.UTC(2026, 0, 2, 3),
  values: new Map<string, CheckValue>([
    ['mx', 3.5],
    ['mn', -1],
    ['bad', 2],
    ['hist', [4, 3, 2, 1]],
    ['ext', { ok: true, n: [1, 2.5], s: 'x' }],
  ]),
  failures: new Map(),
  parts: [
    { box: '0:2', bytes: 16, values: new Map([['mx', 3.5]]) },
    {
      box: '2:4',
      bytes: 8,
      values: new Map([
        ['mx', 1],
        ['bad', 2],
      ]),
    },
  ],
  series: new Map([
    ['mx', { values: [3.5, 2, 8], steps: [12, 9, 3] }],
    ['bad', { values: [2], steps: [12] }],
  ]),
};

function evaluate(source: string, input: Partial<ExpressionInput> = {}) {
  return compiler.compile(source).evaluate({ ...INPUT, ...input });
}

function refusal(source: string): string {
  try {
    compiler.compile(source);
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
  throw new Error(`accepted ${source}`);
}

describe('evaluate', () => {
  test.each([
    'mx > 1.5 && bad == 2',
    'mx > 1 && mx == 3.5 && bad == 2.0 && bad != 3.0',
    '2 * mx - 1 == 6 && 1 - mn == 2.0 && mx / 2 == 1.75 && bad + 0.5 == 2.5',
    'bad / 2 == 1 && step % 5 == 2 && epoch == 1',
    'run == "r1" && variable.startsWith("T") && size(run) == 2',
    'time > timestamp("2026-01-01T00:00:00Z") && time.getHours() == 3',
    'time - timestamp("2026-01-02T00:00:00Z") == duration("3h")',
    'hist[0] == 4 && size(hist) == 4 && 3 in hist && hist.exists(n, n == 1)',
    'ext.ok == true && ext.n[1] > 2 && ext.n[0] == 1 && ext.s == "x" && ext.n[0] + 1 == 2.0',
    'parts.size() == 2 && parts[0].box == "0:2" && parts.map(p, p.bytes)[1] == 8',
    'parts.exists(p, p.mx > 3.0) && parts.exists_one(p, p.mx == 1.0) && parts.all(p, p.mx > 0)',
    'parts.filter(p, has(p.bad)).size() == 1',
    'history.mx[0] == mx && history.mx[2] == 8.0 && size(history.mx) == 3',
    'movavg(history.mx, 2) == 2.75 && movavg(history.mx) == 4.5 && movavg(history.mx, 2, 1) == 5.0',
    'delta(history.mx) == 1.5 && delta(history.mx, 2) == -4.5',
    'rate(history.mx) == 0.5 && rate(history.mx, 2) == -0.5',
    'movavg(parts.map(p, p.mx)) == 2.25',
    'movavg(history.bad, 4) == 2',
    '(mx > 100.0 ? bad : step) == 12',
    'double(bad) == 2.0 && int(mx) == 3 && string(bad) == "2"',
  ])('%s', (source) => {
    expect(evaluate(source)).toBe(true);
  });

  test('NaN is what it is in every comparison', () => {
    const values = new Map(INPUT.values).set('mx', Number.NaN);
    for (const source of ['mx == mx', 'mx > 1', 'mx <= 1', 'mx == 1']) expect(evaluate(source, { values })).toBe(false);
    expect(evaluate('mx != mx', { values })).toBe(true);
  });

  test('is unknown with the reason where something is missing or goes wrong', () => {
    const values = new Map(INPUT.values);
    values.delete('mx');
    const series = new Map(INPUT.series);
    series.delete('mx');
    const gone = { values, series, failures: new Map([['mx', 'raw-1 did not answer']]) };
    expect(evaluate('mx > 1', gone)).toEqual({ unknown: 'check mx: raw-1 did not answer' });
    expect(evaluate('delta(history.mx) > 1.0', gone)).toEqual({ unknown: 'check mx: raw-1 did not answer' });
    expect(evaluate('size(parts) > 1', { parts: { unknown: 'no list' } })).toEqual({ unknown: 'parts: no list' });
    expect(evaluate('parts.all(p, p.bad > 1)')).toEqual({ unknown: 'No such key: bad' });
    expect(evaluate('delta(history.bad) > 0.0')).toEqual({ unknown: 'delta() needs 2 values, 1 known' });
    expect(evaluate('bad / (bad - 2) > 0')).toEqual({ unknown: 'division by zero' });
    expect(evaluate('history.mx[3] > 1.0')).toMatchObject({ unknown: expect.stringContaining('out of bounds') });
    expect(evaluate('ext.zz > 1')).toEqual({ unknown: 'No such key: zz' });
    expect(evaluate('ext.s > 1')).toMatchObject({ unknown: expect.stringContaining('no such overload') });
    expect(evaluate('movavg(ext.s == "x" ? ext.n : ext.n) > 1.0')).toBe(true);
    expect(evaluate('movavg(ext.l) > 1.0', { values: new Map([['ext', { l: [1, 'a'] }]]) })).toEqual({
      unknown: 'movavg() takes a list of numbers, got a string in it',
    });
    expect(evaluate('movavg(history.mx, bad - 2) > 1.0')).toEqual({
      unknown: 'movavg() takes a count of 1 or more and 0 or more to leave out',
    });
  });

  test('what is missing does not matter where the rest decides', () => {
    const values = new Map(INPUT.values);
    values.delete('mx');
    expect(evaluate('step % 10 == 0 && mx > 1', { values })).toBe(false);
    expect(evaluate('mx > 1 || bad == 2', { values })).toBe(true);
    expect(evaluate('mx > 1 && bad == 3', { values })).toBe(false);
  });

  test('is the same every time', () => {
    const expression = compiler.compile('parts.all(p, p.mx > 0.0) && movavg(history.mx, 2) > 1.0');
    const missing = { ...INPUT, parts: { unknown: 'gone' } };
    for (let round = 0; round < 3; round++) {
      expect(expression.evaluate(INPUT)).toBe(true);
      expect(expression.evaluate(missing)).toEqual({ unknown: 'parts: gone' });
    }
  });
});

describe('compile', () => {
  test('knows what is read', () => {
    const { checks, series, readsParts } = compiler.compile('mx > 1 && delta(history.bad) > 0.0 && size(parts) > 0');
    expect({ checks: [...checks], series: [...series], readsParts }).toEqual({
      checks: ['mx', 'bad'],
      series: ['bad'],
      readsParts: true,
    });
    expect(compiler.compile('step > 3').checks.size).toBe(0);
  });

  test.each([
    ['mx >', 'Unexpected token: EOF (column 5)'],
    ['mx > 1 &&\n foo', 'Unknown variable: foo (line 2, column 2)'],
    ['mx', 'expected a bool, got double (column 1)'],
    ['mx == "a"', 'no such overload: double == string (column 1)'],
    ['bad && true', "Logical operator requires bool operands, got 'int' (column 1)"],
    ['history.foo[0] > 1', 'No such key: foo (column 9)'],
    ['size(parts) + "a" > 1', 'no such overload: int + string (column 1)'],
    ['parts[0].foo > 1', 'No such key: foo (column 10)'],
    ['mx > 1 # 2', 'Unexpected character: # (column 8)'],
    ['type(mx) == double', 'there is no function type() (column 1)'],
    ['run.matches("(a+)+$")', 'there is no method matches() of 1 arguments (column 1)'],
    ['time.getHours("Europe/Berlin") > 1', 'there is no method getHours() of 1 arguments (column 1)'],
    ['parts.all(mx, true)', '"mx" is a name already (column 11)'],
    ['rate(parts.map(p, p.mx)) > 1.0', 'rate() takes history.<check> (column 6)'],
    ['movavg(history.mx, 0) > 1.0', 'movavg() takes a count of 1 or more (column 20)'],
    ['movavg(history.mx, 5) > 1.0', 'movavg() needs 5 values, the history keeps 4 (column 20)'],
    ['delta(history.mx, 4) > 1.0', 'delta() needs 5 values, the history keeps 4 (column 19)'],
    ['history.mx[4] > 1.0', 'the history keeps 4 values, there is no index 4 (column 12)'],
  ])('refuses %j', (source, message) => {
    expect(refusal(source)).toBe(message);
  });

  test('says what to do with a type that is known only when it comes', () => {
    expect(refusal('ext.ok')).toMatch(/expected a bool, got dyn: .*== true/);
  });

  test('two compilers with the same names and other types do not meet', () => {
    const other = new ExpressionCompiler({ checks: new Map([['mx', { type: 'int', length: 1 }]]), historyDepth: 2 });
    expect(other.compile('mx == 3').evaluate({ ...INPUT, values: new Map([['mx', 3]]) })).toBe(true);
    expect(evaluate('mx == 3.5')).toBe(true);
    expect(() => other.compile('bad == 1')).toThrow(ExpressionError);
  });
});

test('explain gives each comparison and its operands', () => {
  const { explain } = compiler.compile('(mx > 3 || bad > 5) && delta(history.bad) > 0.0');
  expect(explain(INPUT)).toEqual([
    { text: '(mx > 3 || bad > 5) && delta(history.bad) > 0.0', value: { unknown: 'delta() needs 2 values, 1 known' } },
    { text: 'mx > 3 || bad > 5', value: true },
    { text: 'mx > 3', value: true },
    { text: 'mx', value: 3.5 },
    { text: 'bad > 5', value: false },
    { text: 'bad', value: 2 },
    { text: 'delta(history.bad) > 0.0', value: { unknown: 'delta() needs 2 values, 1 known' } },
    { text: 'delta(history.bad)', value: { unknown: 'delta() needs 2 values, 1 known' } },
  ]);
  const moments = compiler.compile('!(time == time) || parts[1].box == run').explain(INPUT);
  expect(JSON.parse(JSON.stringify(moments))).toContainEqual({ text: 'time', value: '2026-01-02T03:00:00.000Z' });
  expect(moments).toContainEqual({ text: 'parts[1].box', value: '2:4' });
});

test('names of checks are identifiers without another meaning', () => {
  for (const name of ['mx', '_a', 'A9', 'x'.repeat(64), 'min', 'max', 'sum', 'count'])
    expect(checkNameFault(name)).toBeUndefined();
  for (const name of [
    '',
    '9a',
    'a-b',
    'a b',
    'x'.repeat(65),
    'step',
    'parts',
    'history',
    'in',
    'true',
    'int',
    'size',
  ]) {
    expect(checkNameFault(name)).toBeDefined();
  }
  // Whatever is let through can be compiled.
  const names = [
    'type',
    'list',
    'map',
    'box',
    'bytes',
    'cel',
    'google',
    'optional',
    'constructor',
    'prototype',
    'toString',
  ];
  for (const name of [
    ...names,
    'valueOf',
    'hasOwnProperty',
    'const',
    'else',
    'double',
    'string',
    'bool',
    'movavg',
    'time',
  ]) {
    if (checkNameFault(name) !== undefined) continue;
    const one = new ExpressionCompiler({ checks: new Map([[name, { type: 'double', length: 1 }]]), historyDepth: 2 });
    const input = { ...INPUT, values: new Map([[name, 5]]), series: new Map([[name, { values: [5], steps: [1] }]]) };
    expect(one.compile(`${name} == 5.0 && history.${name}[0] == 5.0`).evaluate(input)).toBe(true);
    const missing = { ...input, values: new Map(), series: new Map() };
    expect(isKnown(one.compile(`${name} == 5.0`).evaluate(missing))).toBe(false);
    expect(isKnown(one.compile(`history.${name}[0] == 5.0`).evaluate(missing))).toBe(false);
  }
});

/** Random expressions of the standard language, by type. */
const { bool } = fc.letrec<{ bool: string; number: string; int: string; ints: string }>((tie) => ({
  number: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('mx', 'mn', '0.5', '-2.0', '3.5', 'history["mx"][1]', 'history["mx"][9]'),
    fc
      .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/'), tie('number'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('int').map((int) => `double(${int})`),
    tie('number').map((number) => `(-${number})`),
  ),
  int: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('bad', 'step', 'epoch', '0', '7', '-3', 'hist[1]', 'hist[7]'),
    fc.tuple(tie('int'), fc.constantFrom('+', '-', '*', '/', '%'), tie('int')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('ints').map((ints) => `size(${ints})`),
  ),
  ints: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant('hist'),
    fc.tuple(tie('int'), tie('int')).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('int')).map(([int]) => `hist.map(h, h * ${int})`),
    fc.tuple(tie('int')).map(([int]) => `hist.filter(h, h > ${int})`),
    fc.tuple(tie('ints'), tie('ints')).map(([a, b]) => `(${a} + ${b})`),
  ),
  bool: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'run == "r1"'),
    fc
      .tuple(tie('number'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('number'))
      .map((p) => `${p.join(' ')}`),
    fc.tuple(tie('int'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('int')).map((p) => p.join(' ')),
    fc.tuple(tie('number'), fc.constantFrom('<', '<=', '>', '>='), tie('int')).map((p) => p.join(' ')),
    fc.tuple(tie('ints'), fc.constantFrom('==', '!='), tie('ints')).map((p) => p.join(' ')),
    fc.tuple(tie('int'), tie('ints')).map(([a, b]) => `${a} in ${b}`),
    fc.tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
    tie('bool').map((inner) => `!(${inner})`),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    fc.tuple(fc.constantFrom('all', 'exists', 'exists_one'), tie('int')).map(([f, n]) => `hist.${f}(h, h > ${n})`),
  ),
}));

test('agrees with another implementation of the language on random expressions', () => {
  const environment = celEnv();
  let agreed = 0;
  let known = 0;
  fc.assert(
    fc.property(bool, (source) => {
      let ours: ReturnType<typeof evaluate>;
      try {
        ours = evaluate(source.replaceAll('history["mx"]', 'history.mx').replaceAll('history.mx[9]', 'history.mx[3]'));
      } catch (error) {
        // Refused for its size, not for what it means.
        if (error instanceof ExpressionError && /Exceeded max|may cost|nest at most/.test(error.message)) return;
        throw error;
      }
      const theirs = plan(
        environment,
        parse(source),
      )({
        mx: 3.5,
        mn: -1,
        bad: 2n,
        step: 12n,
        epoch: 1n,
        run: 'r1',
        hist: [4n, 3n, 2n, 1n],
        history: new Map([['mx', [3.5, 2, 8]]]),
      });
      agreed++;
      if (isKnown(ours)) known++;
      expect({ source, value: isKnown(ours) ? ours : 'error' }).toEqual({
        source,
        value: isCelError(theirs) ? 'error' : theirs,
      });
    }),
    { numRuns: 3000 },
  );
  expect(agreed).toBeGreaterThan(2000);
  expect(known).toBeGreaterThan(1000);
});
