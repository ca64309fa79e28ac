import { expect, test } from '@jest/globals';
import { boxOfShape } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { QuantileSearch } from '../quantile-search.js';
import { cellsOf, fieldOf, REAL_DTYPES, randomTiling, runChecks } from './fields.js';

const QS = [0, 0.01, 0.25, 0.5, 0.75, 0.987, 1];

/** numpy.quantile(cells, q), method linear. */
function linear(sorted: readonly number[], q: number): number {
  const place = q * (sorted.length - 1);
  const lower = sorted[Math.floor(place)] as number;
  const upper = sorted[Math.ceil(place)] as number;
  const part = place - Math.floor(place);
  if (lower === upper || part === 0) return lower + 0;
  return part < 0.5 ? lower + (upper - lower) * part : upper - (upper - lower) * (1 - part);
}

test.each(REAL_DTYPES)('quantiles of %s are those of the sorted cells, whatever the partitioning', (dtype) => {
  const random = seededRandom(40 + REAL_DTYPES.indexOf(dtype));
  const box = boxOfShape([17, 13]);
  const checks: Record<string, CheckDefinition> = {};
  for (const [at, q] of QS.entries()) checks[`q${at}`] = { reduce: 'quantile', q };
  for (let trial = 0; trial < 4; trial++) {
    const field = fieldOf(dtype, box, () => {
      if (dtype.startsWith('float'))
        return random.pick([0, -0, random.next() - 0.5, (random.next() - 0.5) * 1e-310, 1e30, -1e30]);
      const value = random.int(0, 1 << 30) * (dtype.startsWith('i') && random.int(0, 2) === 0 ? -1 : 1);
      if (dtype === 'bool') return value & 1;
      return dtype.endsWith('64') ? BigInt(value) * BigInt(random.int(1, 1 << 20)) : value;
    });
    const sorted = cellsOf(field)
      .map(Number)
      .sort((a, b) => a - b);
    const { values } = runChecks(checks, { field, pieces: randomTiling(random, box, trial * 3) });
    expect([...values.values()]).toEqual(QS.map((q) => linear(sorted, q)));
  }
});

test('a search without cells has no values, and one without quantiles asks for nothing', () => {
  const search = new QuantileSearch('float32', [0.5]);
  expect(search.queries()).toEqual([{ prefix: '0', shift: 16 }]);
  search.accept([new Uint32Array(65_536)]);
  expect([search.queries(), search.values()]).toEqual([[], [undefined]]);
  expect(new QuantileSearch('uint8', []).queries()).toEqual([]);
});

test('order statistics that part ways are searched apart', () => {
  const search = new QuantileSearch('uint32', [0.5]);
  const counts = new Uint32Array(65_536);
  counts[1] = 1;
  counts[9] = 1;
  search.accept([counts]);
  expect(search.queries()).toEqual([
    { prefix: '1', shift: 0 },
    { prefix: '9', shift: 0 },
  ]);
  const digits = new Uint32Array(65_536);
  digits[4] = 1;
  search.accept([digits, digits]);
  expect([search.queries(), search.values()]).toEqual([[], [5 * 65_536 + 4]]);
});
