import { expect, test } from '@jest/globals';
import { itemSize, typedView } from '@tidegate/array';
import { seededRandom } from '@tidegate/testing';
import { cellRange } from '../cell-range.js';
import { BLOCK_BYTES, KernelInstance } from '../kernel-instance.js';
import { REAL_DTYPES } from './fields.js';

const kernels = new KernelInstance();

// Every number of cells up to a few vectors, so that all ends of the loops are met; one more than what is read is a
// lure.
test.each(REAL_DTYPES)('passes over any number of %s cells read these and no others', (dtype) => {
  const random = seededRandom(3);
  const session = kernels.session(dtype, 16);
  const view = typedView(session.cells, dtype) as { [at: number]: number | bigint; fill(x: number | bigint): void };
  const isWide = dtype.endsWith('int64');
  const cast = (x: number) => (isWide ? BigInt(x) : x);
  const range = cellRange(dtype, { above: 0, below: 50 });
  if (range === undefined) throw new Error('expected a range');
  for (let count = 1; count <= 70; count++) {
    view.fill(cast(dtype === 'bool' ? 1 : 99));
    const cells = Array.from({ length: count }, () => (dtype === 'bool' ? 0 : random.int(1, 90)));
    for (const [at, x] of cells.entries()) view[at] = cast(x);
    const stats = session.stats(count, true);
    const sum = typeof stats.sum === 'bigint' ? Number(stats.sum) : stats.sum.high;
    const total = cells.reduce((a, b) => a + b, 0);
    expect([Number(stats.min), Number(stats.max), sum, stats.nan, stats.infinite]).toEqual([
      Math.min(...cells),
      Math.max(...cells),
      total,
      0,
      0,
    ]);
    const extrema = session.stats(count, false);
    expect([Number(extrema.min), Number(extrema.max)]).toEqual([Math.min(...cells), Math.max(...cells)]);
    const squares = cells.reduce((a, x) => a + x * x, 0);
    if (typeof stats.sum === 'bigint') expect(session.integerSquares(count, stats.sum)).toBe(BigInt(squares));
    else expect(session.floatMoments(count, 0)).toMatchObject({ sum: { high: total }, squares: { high: squares } });
    const inside = cells.map((x) => (x > 0 && x < 50 ? 1 : 0));
    expect(session.countRange(count, range)).toBe(inside.filter((x) => x === 1).length);
    expect(Array.from(session.maskRange(count, range))).toEqual(inside);
    const table = session.table(0, 16);
    table.fill(0);
    session.histogram(count, { lower: 0, upper: 90, bins: 9 }, 3);
    expect(table.reduce((a, b) => a + b)).toBe(cells.filter((x) => x < 90).length);
    expect([table[2], table[12]]).toEqual([0, 0]);
    session.otherCells.set(session.cells);
    const other = typedView(session.otherCells, dtype) as { [at: number]: number | bigint };
    other[count - 1] = cast((cells[count - 1] as number) + 1);
    expect(session.difference(count, true)).toMatchObject({ compared: count, squares: { high: 1 } });
    expect(Number(session.difference(count, false).largest)).toBe(1);
  }
});

test('full blocks of the largest integers do not overflow', () => {
  for (const [dtype, x] of [
    ['uint8', 255],
    ['int8', -128],
    ['uint16', 65_535],
    ['int16', -32_768],
    ['uint32', 2 ** 32 - 1],
    ['int32', -(2 ** 31)],
    ['uint64', 2n ** 64n - 1n],
    ['int64', -(2n ** 63n)],
  ] as const) {
    const session = kernels.session(dtype, 0);
    (typedView(session.cells, dtype) as { fill(x: number | bigint): void }).fill(x);
    const count = BLOCK_BYTES / itemSize(dtype);
    const { sum } = session.stats(count, true);
    expect(sum).toBe(BigInt(count) * BigInt(x));
    expect(session.integerSquares(count, BigInt(count) * BigInt(x))).toBe(BigInt(count) * BigInt(x) ** 2n);
  }
});

test('there are kernels for real numbers only', () => {
  expect(() => kernels.session('complex64', 0)).toThrow(/no kernels for complex64/);
  expect(() => kernels.session('bytes', 0)).toThrow(/no kernels for bytes/);
});
