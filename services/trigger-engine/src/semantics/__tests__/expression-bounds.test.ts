import { describe, expect, test } from '@jest/globals';
import { type CheckShape, ExpressionCompiler } from '../expression.js';
import { EXPRESSION_LIMITS } from '../expression-bounds.js';
import { ExpressionError } from '../expression-error.js';
import type { ExpressionInput } from '../expression-input.js';

const CHECKS = new Map<string, CheckShape>([
  ['mx', { type: 'double', length: 1 }],
  ['hist', { type: 'list<int>', length: 64 }],
  ['ext', { type: 'dyn', length: 1 }],
]);
const compiler = new ExpressionCompiler({ checks: CHECKS, historyDepth: 8 });

function refusal(source: string): string {
  try {
    compiler.compile(source);
  } catch (error) {
    if (error instanceof ExpressionError) return error.problem;
    throw error;
  }
  throw new Error(`accepted ${source.slice(0, 100)}`);
}

describe('bombs are refused', () => {
  const nested = (depth: number, list: string): string =>
    depth === 0 ? 'true' : `${list}.all(x${depth}, ${nested(depth - 1, list)})`;

  test.each([
    ['loops inside loops', nested(3, 'hist'), /nest at most 2 deep/],
    ['two loops over the pieces', nested(2, 'parts'), /may cost \d+ evaluations/],
    ['two loops over an answer of unknown size', nested(2, 'ext'), /may cost/],
    ['a list of lists that is compared', 'parts.map(p, parts) == parts.map(p, parts)', /may cost/],
    ['a loop over the bins for each piece', 'parts.exists(p, hist.exists(h, h > 3))', /may cost/],
    [
      'a loop over what a loop made',
      'hist.map(a, hist + hist).map(b, b + b + b + b + b + b + b + b + b).map(c, c + c + c + c + c + c + c + c).size() > 0',
      /may cost/,
    ],
    ['doubling by names', 'cel.bind(a, [1, 1], cel.bind(b, a + a, size(b + b))) > 1', /no method bind/],
    ['a regular expression', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches("(a+)+$")', /no method matches/],
    ['too many nodes', Array(600).fill('mx > 1.0').join(' && '), /maxAstNodes/],
    ['too deep', `${'('.repeat(200)}true${')'.repeat(200)}`, /maxDepth/],
    ['a long row of signs', `${'!'.repeat(4000)}true`, /maxAstNodes/],
    ['a long row of minus signs', `${'-'.repeat(4000)}mx > 1.0`, /maxAstNodes/],
    ['a deep list', `${'['.repeat(60)}1${']'.repeat(60)} == []`, /maxDepth/],
    ['a long row of fields', `ext${'.a'.repeat(100)} == 1`, /maxDepth/],
    ['splitting texts', 'run.split("").size() > 1', /no method split/],
  ])('%s', (_what, source, message) => {
    expect(refusal(source)).toMatch(message);
  });

  test('the larger branch of a choice counts', () => {
    expect(refusal('(mx > 1.0 ? parts : parts.filter(p, p.mx > 1.0)).all(p, parts.all(q, q.mx > p.mx))')).toMatch(
      /may cost/,
    );
    expect(refusal('(mx > 1.0 ? [1] : hist).all(a, parts.all(q, q.mx > 1.0))')).toMatch(/may cost/);
    expect(compiler.compile('(mx > 1.0 ? [1] : hist).all(a, hist.all(b, a > b))').cost).toBeGreaterThan(64 * 64);
  });
});

describe('what people write is accepted', () => {
  test.each([
    'mx > 1800.0 && step % 10 == 0',
    'parts.all(p, p.mx < 5.0 && p.bytes > 0)',
    'ext.items.exists(i, i.v == 3 && i.name == "blob")',
    'hist.exists(a, hist.exists(b, a > 2 * b))',
    'history.mx.filter(h, h > mx).size() < 2',
    Array(60).fill('mx > 1.0').join(' || '),
  ])('%s', (source) => {
    expect(compiler.compile(source).cost).toBeLessThanOrEqual(EXPRESSION_LIMITS.cost);
  });
});

test('the most costly expression that is accepted ends soon', () => {
  const body = Array(10).fill('p.mx > 1.0').join(' && ');
  const expression = compiler.compile(`parts.all(p, ${body})`);
  expect(expression.cost).toBeGreaterThan(EXPRESSION_LIMITS.cost / 2);
  const values = new Map([['mx', 2]]);
  const input: ExpressionInput = {
    run: 'r',
    variable: 'T',
    step: 0,
    epoch: 0,
    time: 0,
    values,
    failures: new Map(),
    parts: Array.from({ length: EXPRESSION_LIMITS.parts }, () => ({ box: '0:1', bytes: 8, values })),
    series: new Map(),
  };
  const begun = performance.now();
  expect(expression.evaluate(input)).toBe(true);
  expect(performance.now() - begun).toBeLessThan(2000);
});

test('a loop costs its body for every item that there may be', () => {
  const { cost } = compiler.compile('ext.all(x, x == 1 || x == 2)');
  expect(cost).toBeGreaterThanOrEqual(EXPRESSION_LIMITS.dynamicValues * 7);
  expect(compiler.compile('hist.all(x, x == 1 || x == 2)').cost).toBeLessThan(64 * 12);
});
