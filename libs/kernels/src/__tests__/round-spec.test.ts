import { expect, test } from '@jest/globals';
import { boxOfShape } from '@tidegate/geometry';
import { BadRequestError } from '@tidegate/protocol';
import { planChecks } from '../check-plan.js';
import { parseRoundSpec } from '../round-spec.js';

const digest = `sha256:${'a'.repeat(64)}`;
const { spec } = planChecks(
  {
    q: { reduce: 'quantile', q: 0.5 },
    h: { reduce: 'histogram', range: [0, 1], bins: 4 },
    n: { components: { above: 1, connectivity: 8 } },
    d: { reduce: 'l2_diff', against: 'previous' },
    w: { wasm: { digest, export: 'run' } },
    s: { reduce: 'std' },
  },
  { dtype: 'float32', box: boxOfShape([4, 5]) },
);

test('a description survives JSON, and what follows from it is worked out anew', () => {
  expect(parseRoundSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  expect(parseRoundSpec({ ...spec, needsPrevious: false, kernels: [] })).toEqual(spec);
  expect([spec.needsPrevious, spec.kernels]).toEqual([true, [digest]]);
});

test.each([
  ['stats', { stats: 'all' }],
  ['box', { box: '4:0,0:5' }],
  ['dtype', { dtype: 'float16' }],
  ['histograms.0', { histograms: [{ lower: 2, upper: 2, bins: 4 }] }],
  ['histograms.0.bins', { histograms: [{ lower: 0, upper: 2, bins: 1e9 }] }],
  ['digits.0.shift', { digits: [{ prefix: '0', shift: 5 }] }],
  ['digits.0.prefix', { digits: [{ prefix: '0x1', shift: 16 }] }],
  ['components.0.neighbours', { components: [{ above: 1, neighbours: 26 }] }],
  ['wasm.0.digest', { wasm: [{ digest: 'sha1:00', export: 'run', ms: 1, pages: 1 }] }],
  ['quantiles.0', { quantiles: [1.5] }],
  ['more', { more: 1 }],
])('a bad %s is refused by name', (field, change) => {
  let refusal: unknown;
  try {
    parseRoundSpec({ ...spec, ...change });
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(BadRequestError);
  expect(refusal).toMatchObject({ field });
});

test('what is no map is refused', () => {
  for (const map of [undefined, null, 7, [], 'spec']) expect(() => parseRoundSpec(map)).toThrow(BadRequestError);
});
