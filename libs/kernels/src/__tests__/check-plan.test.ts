import { expect, test } from '@jest/globals';
import { boxOfShape } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { planChecks } from '../check-plan.js';

const box = boxOfShape([4, 5]);
const digest = `sha256:${'b'.repeat(64)}`;
const plan = (checks: Record<string, CheckDefinition>) => planChecks(checks, { dtype: 'float64', box });

test('only what is asked for is computed', () => {
  const level = (...reductions: ('min' | 'sum' | 'std' | 'argmax' | 'nan_count')[]) => {
    const { spec } = plan(Object.fromEntries(reductions.map((reduce) => [reduce, { reduce }])));
    return [spec.stats, spec.positions];
  };
  expect(level('min', 'nan_count')).toEqual(['extrema', false]);
  expect(level('sum', 'min')).toEqual(['sums', false]);
  expect(level('std', 'sum', 'argmax')).toEqual(['moments', true]);
  expect(plan({ n: { reduce: 'count' } }).spec.stats).toBeUndefined();
  expect(plan({ d: { reduce: 'linf_diff', against: 'previous' } }).spec.difference).toBe('largest');
  const both = { a: { reduce: 'l2_diff' }, b: { reduce: 'linf_diff' } } as const;
  expect(plan(both).spec.difference).toBe('squares');
});

test('equal parameters are computed once', () => {
  const { spec, readers } = plan({
    h: { reduce: 'histogram', range: [0, 1] },
    e: { reduce: 'entropy', range: [0, 1], bins: 64 },
    c: { reduce: 'count', above: 2 },
    f: { reduce: 'fraction', above: 2 },
    a: { wasm: { digest, export: 'run' } },
    b: { wasm: { digest, export: 'run' }, merge: 'max', limits: { ms: 50, pages: 256 } },
    q: { reduce: 'quantile', q: 0.5 },
    p: { reduce: 'quantile', q: 0.25 },
  });
  expect([spec.histograms, spec.ranges, spec.quantiles]).toEqual([
    [{ lower: 0, upper: 1, bins: 64 }],
    [{ above: 2 }],
    [0.5, 0.25],
  ]);
  expect([spec.wasm.length, spec.digits]).toEqual([1, [{ prefix: '0', shift: 48 }]]);
  expect(readers.get('f')).toEqual({ kind: 'range', at: 0, isShare: true });
  expect(readers.get('b')).toEqual({ kind: 'wasm', at: 0, merge: 'max' });
});

test.each([
  [[9], undefined, 2],
  [[9], 26, 2],
  [[9, 9], undefined, 4],
  [[9, 9], 6, 4],
  [[9, 9], 8, 8],
  [[9, 9], 18, 8],
  [[9, 9, 9], undefined, 6],
  [[9, 9, 9], 18, 18],
])('in a domain of %j a connectivity of %j means %i neighbours', (shape, connectivity, neighbours) => {
  const checks = { n: { components: { above: 0, ...(connectivity === undefined ? {} : { connectivity }) } } };
  const { spec } = planChecks(checks, { dtype: 'int8', box: boxOfShape(shape) });
  expect(spec.components).toEqual([{ above: 0, neighbours }]);
});

test('checks that need no cells have no part in it', () => {
  const { readers } = plan({ x: { call: { subject: 'a.b', timeoutMs: 5 } } });
  expect(readers.size).toBe(0);
});
