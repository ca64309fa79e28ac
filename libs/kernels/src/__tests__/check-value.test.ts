import { expect, test } from '@jest/globals';
import { boxOfShape } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { planChecks } from '../check-plan.js';
import { checkedBox, checkValue } from '../check-value.js';
import type { KernelOutcome, PieceResult } from '../piece-result.js';

const box = boxOfShape([4]);
const digest = `sha256:${'c'.repeat(64)}`;

/** The value of one check where the pieces have these results. */
function evaluate(check: CheckDefinition, results: readonly Partial<PieceResult>[]) {
  const { spec, readers } = planChecks({ x: check }, { dtype: 'float64', box });
  const empty = { ranges: [], histograms: [], quantiles: [], digits: [], components: [], wasm: [] };
  const pieces = results.map((result, at) => ({
    box: { lower: [at], upper: [at + 1] },
    result: { stats: undefined, difference: undefined, ...empty, ...result },
  }));
  const reader = readers.get('x');
  if (reader === undefined) throw new Error('expected a check that reads cells');
  return checkValue(reader, checkedBox({ spec, box, pieces, quantiles: pieces[0]?.result.quantiles ?? [] }));
}

const kernel = (merge: CheckDefinition['merge'], ...outcomes: KernelOutcome[]) =>
  evaluate(
    { wasm: { digest, export: 'run' }, merge },
    outcomes.map((outcome) => ({ wasm: [outcome] })),
  );

test('results of a kernel: one is a number, several a list, merged element by element', () => {
  expect(kernel(undefined, [7])).toBe(7);
  expect(kernel(undefined, [7, 8])).toEqual([7, 8]);
  expect(kernel('sum', [1, 2], [10, 20])).toEqual([11, 22]);
  expect(kernel('min', [1], [-1], [0])).toBe(-1);
  expect(kernel('max', [1], [-1], [0])).toBe(1);
  expect(kernel('mean', [1], [2], [6])).toBe(3);
});

test('results that do not merge are failures', () => {
  expect(kernel('sum', [1, 2], [1])).toMatchObject({
    failure: expect.stringMatching(/2 results of one piece and 1 of another/),
  });
  expect(kernel(undefined, [1], [2])).toMatchObject({ failure: expect.stringMatching(/results are in parts/) });
  expect(kernel('sum', [1], { failure: 'the kernel trapped: x' })).toEqual({ failure: 'the kernel trapped: x' });
  expect(kernel('sum', [Infinity], [-Infinity])).toMatchObject({ failure: expect.stringMatching(/not a number/) });
});

test('entropy is that of the shares of the bins', () => {
  const entropy = (...histograms: number[][]) =>
    evaluate(
      { reduce: 'entropy', range: [0, 1], bins: 2 },
      histograms.map((histogram) => ({ histograms: [histogram] })),
    );
  expect(entropy([1, 1], [2, 2])).toBeCloseTo(Math.log(2), 15);
  expect(entropy([5, 0])).toBe(0);
  expect(entropy([0, 0])).toMatchObject({ failure: expect.stringMatching(/no cell/) });
});

test('what a result should have and has not is a failure', () => {
  expect(evaluate({ reduce: 'max' }, [{}])).toEqual({ failure: 'it was not computed' });
  expect(evaluate({ wasm: { digest, export: 'run' } }, [{}])).toEqual({ failure: 'it was not computed' });
  expect(evaluate({ reduce: 'linf_diff', against: 'previous' }, [{}])).toEqual({ failure: 'it was not computed' });
});

test('sums beyond the range of float64 are failures, and zero has no sign', () => {
  const stats = (high: number, low: number) => ({
    stats: {
      nan: 0,
      infinite: 0,
      extrema: { min: -0, max: 1, minAt: -1, maxAt: -1 },
      moments: { count: 1, sum: { high, low }, spread: { high: Infinity, low: 0 } },
    },
  });
  expect(evaluate({ reduce: 'sum' }, [stats(Infinity, Number.NaN)])).toMatchObject({
    failure: expect.stringMatching(/range/),
  });
  expect(evaluate({ reduce: 'std' }, [stats(1, 0)])).toMatchObject({ failure: expect.stringMatching(/range/) });
  expect(evaluate({ reduce: 'min' }, [stats(1, 0)])).toBe(0);
  expect(evaluate({ reduce: 'mean' }, [stats(-0, 0)])).toBe(0);
});
