import { expect, test } from '@jest/globals';
import type { DType } from '@tidegate/array';
import { type Box, boxOfShape, formatBox } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { type SeededRandom, seededRandom } from '@tidegate/testing';
import { CheckRun } from '../check-run.js';
import { cellsOf, type Field, fieldOf, REAL_DTYPES, randomTiling, runChecks } from './fields.js';

/** All reductions of one field's numbers, the plain way. */
function reference(field: Field, previous: Field): Record<string, number | number[] | undefined> {
  const { box } = field;
  const cells = cellsOf(field);
  const before = cellsOf(previous);
  const numbers = cells.filter((x) => !Number.isNaN(x));
  const at = (position: number): number[] => {
    const coordinates: number[] = [];
    let rest = position;
    for (let d = box.lower.length - 1; d >= 0; d--) {
      const extent = (box.upper[d] as number) - (box.lower[d] as number);
      coordinates.unshift((box.lower[d] as number) + (rest % extent));
      rest = Math.floor(rest / extent);
    }
    return coordinates;
  };
  const best = (isBetter: (a: number | bigint, b: number | bigint) => boolean) => {
    let found = -1;
    for (const [i, x] of cells.entries()) {
      if (Number.isNaN(x)) continue;
      if (found < 0 || isBetter(x, cells[found] as number)) found = i;
    }
    return found;
  };
  const lowest = best((a, b) => a < b);
  const highest = best((a, b) => a > b);
  const doubles = numbers.map(Number);
  const sum = doubles.reduce((a, b) => a + b, 0);
  const mean = sum / doubles.length;
  const variance = doubles.reduce((a, x) => a + (x - mean) ** 2, 0) / doubles.length;
  const inRange = doubles.filter((x) => x > 3.5 && x < 60).length;
  const bins = new Array<number>(7).fill(0);
  for (const x of doubles) {
    if (x < -20 || x >= 80) continue;
    const bin = Math.min(6, Math.floor(((x + 20) / 100) * 7));
    bins[bin] = (bins[bin] as number) + 1;
  }
  const binned = bins.reduce((a, b) => a + b, 0);
  const sorted = [...doubles].sort((a, b) => a - b);
  const place = 0.3 * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  const apart = cells.map((x, i) =>
    typeof x === 'bigint' ? Number(x - (before[i] as bigint)) : x - (before[i] as number),
  );
  const differences = apart.filter((d) => !Number.isNaN(d));
  return {
    min: Number(cells[lowest]),
    max: Number(cells[highest]),
    argmin: at(lowest),
    argmax: at(highest),
    sum,
    mean,
    var: variance,
    std: Math.sqrt(variance),
    count: cells.length,
    inside: inRange,
    nan: cells.length - numbers.length,
    share: inRange / cells.length,
    hist: bins,
    q: low + (high - low) * (place - Math.floor(place)),
    entropy: bins.reduce((a, n) => (n === 0 ? a : a - (n / binned) * Math.log(n / binned)), 0),
    l2: Math.sqrt(differences.reduce((a, d) => a + d * d, 0)),
    linf: Math.max(...differences.map(Math.abs)),
  };
}

const CHECKS: Record<string, CheckDefinition> = {
  min: { reduce: 'min' },
  max: { reduce: 'max' },
  argmin: { reduce: 'argmin' },
  argmax: { reduce: 'argmax' },
  sum: { reduce: 'sum' },
  mean: { reduce: 'mean' },
  var: { reduce: 'var' },
  std: { reduce: 'std' },
  count: { reduce: 'count' },
  inside: { reduce: 'count', above: 3.5, below: 60 },
  nan: { reduce: 'nan_count' },
  share: { reduce: 'fraction', above: 3.5, below: 60 },
  hist: { reduce: 'histogram', range: [-20, 80], bins: 7 },
  q: { reduce: 'quantile', q: 0.3 },
  entropy: { reduce: 'entropy', range: [-20, 80], bins: 7 },
  l2: { reduce: 'l2_diff', against: 'previous' },
  linf: { reduce: 'linf_diff', against: 'previous' },
};
const EXACT = ['min', 'max', 'argmin', 'argmax', 'count', 'inside', 'nan', 'share', 'hist', 'linf'];

function randomCell(random: SeededRandom, dtype: DType): number | bigint {
  if (dtype.startsWith('float')) {
    const kind = random.int(0, 40);
    if (kind === 0) return Number.NaN;
    if (kind === 1) return random.pick([0, -0, 3.5, 60, -20, 80]);
    return random.next() * 120 - 30;
  }
  if (dtype === 'bool') return random.int(0, 2);
  const value = random.int(dtype.startsWith('u') ? 0 : -100, 120);
  if (dtype === 'int64') return random.int(0, 20) === 0 ? BigInt(value) * 0x7f_ffff_ffff_ffffn : BigInt(value);
  if (dtype === 'uint64') return random.int(0, 20) === 0 ? BigInt(value) * 0xff_ffff_ffff_ffffn : BigInt(value);
  if (dtype === 'int32') return random.int(0, 20) === 0 ? value * 0xff_ffff : value;
  if (dtype === 'uint32') return random.int(0, 20) === 0 ? value * 0x1ff_ffff : value;
  return value;
}

function randomBox(random: SeededRandom): Box {
  const shape = random.pick([[97], [13, 9], [7, 5, 6], [3, 4, 5, 3], [1, 40], [2, 1, 30]]);
  const lower = shape.map(() => random.int(0, 5));
  return { lower, upper: lower.map((lo, d) => lo + (shape[d] as number)) };
}

test.each(REAL_DTYPES)('every reduction of %s fields equals the plain one, whatever the partitioning', (dtype) => {
  const random = seededRandom(REAL_DTYPES.indexOf(dtype) + 1);
  for (let trial = 0; trial < 12; trial++) {
    const box = randomBox(random);
    const field = fieldOf(dtype, box, () => randomCell(random, dtype));
    const before = fieldOf(dtype, box, () => randomCell(random, dtype));
    const expected = reference(field, before);
    const previous = [{ box, bytes: before.bytes }];
    const whole = runChecks(CHECKS, { field, pieces: [box], previous });
    expect(whole.failures).toEqual(new Map());
    for (const [name, value] of whole.values) {
      if (EXACT.includes(name)) expect([name, value]).toEqual([name, expected[name]]);
      else
        expect(Math.abs((value as number) - (expected[name] as number))).toBeLessThanOrEqual(
          1e-12 * scaleOf(name, expected),
        );
    }
    const pieces = randomTiling(random, box, 9);
    const parts = randomTiling(random, box, 3).map((part) => ({ box, bytes: before.bytes, piece: part }));
    const tiled = runChecks(CHECKS, { field, pieces, previous: parts });
    expect(Object.fromEntries(tiled.values)).toEqual(Object.fromEntries(whole.values));
    expect(tiled.parts.map((part) => part.box)).toHaveLength(pieces.length);
  }
});

/** What 1e-12 is relative to: cancellation is no fault of the sum. */
function scaleOf(name: string, expected: Record<string, number | number[] | undefined>): number {
  if (name !== 'sum' && name !== 'mean') return Math.abs(expected[name] as number) + Number.MIN_VALUE;
  const largest = Math.max(Math.abs(expected['min'] as number), Math.abs(expected['max'] as number));
  return name === 'sum' ? largest * (expected['count'] as number) : largest;
}

test('each part has the values of its piece alone', () => {
  const random = seededRandom(99);
  const box = boxOfShape([12, 10]);
  const field = fieldOf('float64', box, () => randomCell(random, 'float64'));
  const checks = { ...CHECKS };
  delete checks['l2'];
  delete checks['linf'];
  const pieces = randomTiling(random, box, 5);
  const { parts } = runChecks(checks, { field, pieces });
  expect(parts.length).toBe(pieces.length);
  for (const part of parts) {
    const piece = pieces.find((one) => formatBox(one) === part.box) as Box;
    const packed = { dtype: field.dtype, box: piece, bytes: packedPiece(field, piece) };
    expect(Object.fromEntries(part.values)).toEqual(
      Object.fromEntries(runChecks(checks, { field: packed, pieces: [piece] }).values),
    );
  }
});

function packedPiece(field: Field, piece: Box): Uint8Array {
  const cells = cellsOf(field);
  const width = (field.box.upper[1] as number) - (field.box.lower[1] as number);
  const packed: number[] = [];
  for (let y = piece.lower[0] as number; y < (piece.upper[0] as number); y++) {
    for (let x = piece.lower[1] as number; x < (piece.upper[1] as number); x++)
      packed.push(cells[y * width + x] as number);
  }
  return new Uint8Array(Float64Array.from(packed).buffer);
}

test('moments stay exact where the mean is far above the spread', () => {
  const random = seededRandom(5);
  const box = boxOfShape([40, 50, 20]);
  for (const [offset, dtype] of [
    [1e6, 'float64'],
    [1e9, 'float64'],
    [4096, 'float32'],
  ] as const) {
    const field = fieldOf(dtype, box, () => offset + (random.next() + random.next() + random.next() - 1.5) * 2);
    const cells = cellsOf(field) as number[];
    // The distances from the offset are exact, and small enough for plain sums.
    const rest = cells.map((x) => x - offset);
    const mean = rest.reduce((a, b) => a + b, 0) / rest.length;
    const variance = rest.reduce((a, x) => a + (x - mean) ** 2, 0) / rest.length;
    const checks: Record<string, CheckDefinition> = {
      std: { reduce: 'std' },
      var: { reduce: 'var' },
      mean: { reduce: 'mean' },
    };
    const whole = runChecks(checks, { field, pieces: [box] }).values;
    expect(Math.abs((whole.get('var') as number) / variance - 1)).toBeLessThan(1e-12);
    expect(Math.abs((whole.get('mean') as number) / (mean + offset) - 1)).toBeLessThan(1e-15);
    for (const cuts of [1, 7, 60]) {
      expect(runChecks(checks, { field, pieces: randomTiling(random, box, cuts) }).values).toEqual(whole);
    }
  }
});

test('masked data, and numbers near the end of the range', () => {
  const random = seededRandom(12);
  const box = boxOfShape([200, 301]);
  const checks: Record<string, CheckDefinition> = {
    mean: { reduce: 'mean' },
    max: { reduce: 'max' },
    nan: { reduce: 'nan_count' },
  };
  for (const dtype of ['float32', 'float64'] as const) {
    const field = fieldOf(dtype, box, () => (random.int(0, 3) === 0 ? Number.NaN : random.next()));
    const numbers = (cellsOf(field) as number[]).filter((x) => !Number.isNaN(x));
    const { values } = runChecks(checks, { field, pieces: randomTiling(random, box, 4) });
    expect(values.get('mean')).toBeCloseTo(numbers.reduce((a, b) => a + b) / numbers.length, 13);
    expect(values.get('max')).toBe(numbers.reduce((a, b) => Math.max(a, b)));
    expect(values.get('nan')).toBe(200 * 301 - numbers.length);
  }
  const large = fieldOf('float64', boxOfShape([4]), () => 4e307);
  const all = { ...checks, std: { reduce: 'std' } } as const;
  const whole = runChecks(all, { field: large, pieces: [large.box] });
  expect(Object.fromEntries(whole.values)).toEqual({ mean: 4e307, max: 4e307, nan: 0 });
  expect(whole.failures.get('std')).toMatch(/beyond the range/);
});

test('64-bit integers are compared exactly, and their sums are exact', () => {
  const base = 2n ** 62n;
  const box = boxOfShape([6]);
  const cells = [base + 1n, base, base + 2n, base, base + 2n, base + 1n];
  const checks: Record<string, CheckDefinition> = {
    argmin: { reduce: 'argmin' },
    argmax: { reduce: 'argmax' },
    var: { reduce: 'var' },
    above: { reduce: 'count', above: 2 ** 62 },
    linf: { reduce: 'linf_diff', against: 'previous' },
  };
  const before = fieldOf('int64', box, (at) => (cells[at] as bigint) - 3n);
  const field = fieldOf('int64', box, (at) => cells[at] as bigint);
  const pieces: Box[] = [
    { lower: [3], upper: [6] },
    { lower: [0], upper: [3] },
  ];
  const { values } = runChecks(checks, { field, pieces, previous: [{ box, bytes: before.bytes }] });
  expect(Object.fromEntries(values)).toEqual({ argmin: [1], argmax: [2], var: 2 / 3, above: 4, linf: 3 });
});

test('infinities are numbers; where arithmetic has no answer the check fails', () => {
  const box = boxOfShape([5]);
  const checks: Record<string, CheckDefinition> = {
    min: { reduce: 'min' },
    max: { reduce: 'max' },
    sum: { reduce: 'sum' },
    var: { reduce: 'var' },
    inf: { reduce: 'inf_count' },
    below: { reduce: 'count', below: 1 },
    q: { reduce: 'quantile', q: 0.9 },
    linf: { reduce: 'linf_diff', against: 'previous' },
  };
  const before = fieldOf('float64', box, () => Infinity);
  const previous = [{ box, bytes: before.bytes }];
  const up = fieldOf('float64', box, (at) => [1, Infinity, Number.NaN, 2, Infinity][at] as number);
  const one = runChecks(checks, { field: up, pieces: [box], previous });
  expect(Object.fromEntries(one.values)).toEqual({
    min: 1,
    max: Infinity,
    sum: Infinity,
    inf: 2,
    below: 0,
    q: Infinity,
    linf: Infinity,
  });
  expect(one.failures.get('var')).toMatch(/infinite cells/);
  const both = fieldOf('float64', box, (at) => [1, Infinity, -Infinity, 2, 3][at] as number);
  const two = runChecks(checks, { field: both, pieces: [box], previous });
  expect(two.values.get('below')).toBe(1);
  expect(two.values.get('q')).toBe(Infinity);
  expect([...two.failures.keys()]).toEqual(['sum', 'var']);
});

test('a box of NaN alone has counts but no other values', () => {
  const box = boxOfShape([4, 4]);
  const field = fieldOf('float32', box, () => Number.NaN);
  const checks = { ...CHECKS, inf: { reduce: 'inf_count' } as const };
  const before = { box, bytes: field.bytes };
  const pieces = randomTiling(seededRandom(3), box, 3);
  for (const tiling of [[box], pieces]) {
    const { values, failures } = runChecks(checks, { field, pieces: tiling, previous: [before] });
    expect(Object.fromEntries(values)).toEqual({
      count: 16,
      inside: 0,
      nan: 16,
      share: 0,
      hist: [0, 0, 0, 0, 0, 0, 0],
      inf: 0,
    });
    expect(failures.get('mean')).toMatch(/no number/);
    expect(failures.get('q')).toMatch(/no number/);
    expect(failures.get('entropy')).toMatch(/no cell is inside/);
    expect(failures.get('l2')).toMatch(/no cell is a number at both steps/);
  }
});

test('without a previous step only the differences fail', () => {
  const box = boxOfShape([8]);
  const field = fieldOf('uint8', box, (at) => at);
  const { values, failures } = runChecks(CHECKS, { field, pieces: [box] });
  expect([...failures.keys()].sort()).toEqual(['l2', 'linf']);
  expect(failures.get('l2')).toMatch(/no previous step/);
  expect(values.get('sum')).toBe(28);
  const partly = [{ box, bytes: field.bytes, piece: { lower: [0], upper: [5] } }];
  expect(runChecks(CHECKS, { field, pieces: [box], previous: partly }).failures.get('linf')).toMatch(
    /5 of the 8 cells/,
  );
});

test('a piece that failed, is missing, or is garbage fails the checks with a reason', () => {
  const box = boxOfShape([8]);
  const begin = () => new CheckRun({ checks: { mx: { reduce: 'max' } }, dtype: 'float64', shape: [8], box });
  const failed = begin();
  failed.accept([{ box, partial: { failure: 'the disk is gone' } }]);
  expect(failed.next()).toBeUndefined();
  expect(failed.result().failures.get('mx')).toBe('piece 0:8: the disk is gone');
  const missing = begin();
  missing.accept([]);
  expect(missing.result().failures.get('mx')).toBe('the pieces have 0 of the 8 cells of the box');
  const garbage = begin();
  garbage.accept([{ box, partial: Uint8Array.of(1, 0, 200) }]);
  expect(garbage.result().failures.get('mx')).toMatch(/piece 0:8: malformed result/);
  const stray = begin();
  stray.accept([{ box: { lower: [1], upper: [9] }, partial: { failure: '' } }]);
  expect(stray.result().failures.get('mx')).toMatch(/is not inside/);
});

test('checks without cells to read need no round', () => {
  const call = { call: { subject: 'analysis.blobs', timeoutMs: 100 } };
  const run = new CheckRun({ checks: { call }, dtype: 'float64', shape: [4], box: boxOfShape([4]) });
  expect(run.next()).toBeUndefined();
  expect(run.result()).toEqual({ values: new Map(), failures: new Map(), parts: [] });
});

test('quantiles of several pieces take a round for each 16 bits, those of one piece a single round', () => {
  const random = seededRandom(8);
  const box = boxOfShape([300]);
  const field = fieldOf('float64', box, () => random.next() - 0.5);
  const checks: Record<string, CheckDefinition> = {};
  for (const q of [0, 0.25, 0.5, 0.999, 1]) checks[`q${q}`.replace('.', '_')] = { reduce: 'quantile', q };
  const one = runChecks(checks, { field, pieces: [box] });
  const many = runChecks(checks, { field, pieces: randomTiling(random, box, 6) });
  expect([one.rounds, many.rounds]).toEqual([1, 4]);
  expect(many.values).toEqual(one.values);
  const sorted = (cellsOf(field) as number[]).sort((a, b) => a - b);
  expect(one.values.get('q0')).toBe(sorted[0]);
  expect(one.values.get('q1')).toBe(sorted[299]);
});
