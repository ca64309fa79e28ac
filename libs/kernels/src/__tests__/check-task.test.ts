import { describe, expect, test } from '@jest/globals';
import { type Box, boxOfShape } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { CheckRun } from '../check-run.js';
import { normalizeBools, runCheck } from '../check-task.js';
import type { RoundSpec } from '../round-spec.js';
import { cellsOf, fieldOf, randomTiling, runChecks, tools } from './fields.js';

const box = boxOfShape([37, 61, 53]);

function specOf(checks: Record<string, CheckDefinition>, dtype: 'float64' | 'bool' = 'float64'): RoundSpec {
  const spec = new CheckRun({ checks, dtype, shape: box.upper, box }).next();
  if (spec === undefined) throw new Error('expected a round');
  return spec;
}

describe('pieces of many blocks', () => {
  const random = seededRandom(21);
  const field = fieldOf('float64', box, () => (random.int(0, 500) === 0 ? Number.NaN : random.next() - 0.5));
  const before = fieldOf('float64', box, () => random.next() - 0.5);
  const cells = cellsOf(field) as number[];
  const numbers = cells.filter((x) => !Number.isNaN(x));
  const checks: Record<string, CheckDefinition> = {
    min: { reduce: 'min' },
    argmax: { reduce: 'argmax' },
    sum: { reduce: 'sum' },
    var: { reduce: 'var' },
    nan: { reduce: 'nan_count' },
    above: { reduce: 'count', above: 0.25 },
    hist: { reduce: 'histogram', range: [-0.5, 0.5], bins: 10 },
    median: { reduce: 'quantile', q: 0.5 },
    blobs: { components: { above: 0.1, connectivity: 6 } },
    linf: { reduce: 'linf_diff', against: 'previous' },
    l2: { reduce: 'l2_diff', against: 'previous' },
  };

  test('equal the plain results, and those of any tiling bit for bit', () => {
    const previous = [{ box, bytes: before.bytes }];
    const { values } = runChecks(checks, { field, pieces: [box], previous });
    let highest = 0;
    for (const [at, x] of cells.entries()) if (x > (cells[highest] as number)) highest = at;
    const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
    const old = cellsOf(before) as number[];
    const differences = cells.map((x, at) => Math.abs(x - (old[at] as number)));
    expect(values.get('min')).toBe(numbers.reduce((a, b) => Math.min(a, b)));
    expect(values.get('argmax')).toEqual([
      Math.floor(highest / (61 * 53)),
      Math.floor(highest / 53) % 61,
      highest % 53,
    ]);
    expect(values.get('sum')).toBeCloseTo(mean * numbers.length, 9);
    expect(values.get('var')).toBeCloseTo(numbers.reduce((a, x) => a + (x - mean) ** 2, 0) / numbers.length, 13);
    expect(values.get('nan')).toBe(cells.length - numbers.length);
    expect(values.get('above')).toBe(numbers.filter((x) => x > 0.25).length);
    expect((values.get('hist') as number[]).reduce((a, b) => a + b)).toBe(numbers.length);
    const sorted = numbers.toSorted((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    expect(values.get('median')).toBe(
      ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2,
    );
    expect(values.get('linf')).toBe(differences.filter((x) => !Number.isNaN(x)).reduce((a, b) => Math.max(a, b)));
    for (const cuts of [1, 12]) {
      const pieces = randomTiling(random, box, cuts);
      expect(runChecks(checks, { field, pieces, previous }).values).toEqual(values);
    }
  });
});

test('any byte of a bool but zero is true', () => {
  const bytes = Uint8Array.from({ length: 37 * 61 * 53 }, (_, at) => (at % 3) * 100);
  const field = { dtype: 'bool', box, bytes } as const;
  const checks: Record<string, CheckDefinition> = {
    sum: { reduce: 'sum' },
    max: { reduce: 'max' },
    mean: { reduce: 'mean' },
  };
  const { values } = runChecks(checks, { field, pieces: [box] });
  const yes = bytes.filter((x) => x > 0).length;
  expect(Object.fromEntries(values)).toEqual({ sum: yes, max: 1, mean: yes / bytes.length });
  const cells = Uint8Array.of(0, 1, 2, 255, 9);
  normalizeBools(cells, 4);
  expect([...cells]).toEqual([0, 1, 1, 1, 9]);
});

test('data that does not fit is refused', () => {
  const spec = specOf({ mx: { reduce: 'max' } });
  const piece: Box = { lower: [0, 0, 0], upper: [1, 1, 2] };
  const data = { box: piece, bytes: new Uint8Array(16) };
  expect(runCheck({ spec, piece, data }, tools).stats?.extrema).toMatchObject({ min: 0, max: 0 });
  const refused = (task: Parameters<typeof runCheck>[0]) => {
    try {
      runCheck(task, tools);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(refused({ spec, piece, data: { box: piece, bytes: new Uint8Array(15) } })).toMatchObject({
    code: 'SIZE_MISMATCH',
  });
  const outside = { lower: [0, 0, 0], upper: [1, 1, 54] };
  expect(refused({ spec, piece: outside, data: { box: outside, bytes: new Uint8Array(54 * 8) } })).toMatchObject({
    field: 'piece',
  });
  const noDigits = { ...specOf({ q: { reduce: 'quantile', q: 0.5 } }), digits: [] };
  expect(refused({ spec: noDigits, piece, data })).toMatchObject({ field: 'digits' });
  const opaque = { ...spec, dtype: 'complex64' } as const;
  expect(() => runCheck({ spec: opaque, piece, data }, tools)).toThrow(/no kernels for complex64/);
});
