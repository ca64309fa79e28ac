import { expect, test } from '@jest/globals';
import { seededRandom } from '@tidegate/testing';
import {
  add,
  type DoubleDouble,
  divide,
  multiply,
  negate,
  scale,
  toNumber,
  twoProduct,
  twoSum,
  ZERO,
} from '../double-double.js';

/** Doubles are integers over 2^200 here, which bigint computes exactly. */
const UNIT = 2n ** 200n;

function exact(x: number): bigint {
  return BigInt(x * 2 ** 150) * 2n ** 50n;
}

function exactly({ high, low }: DoubleDouble): bigint {
  return exact(high) + exact(low);
}

/** |a - b| is at most 2^-bits of |b|. */
function expectClose(a: bigint, b: bigint, bits: bigint): void {
  const apart = a > b ? a - b : b - a;
  expect(apart * 2n ** bits <= (b < 0n ? -b : b)).toBe(true);
}

test('sums and products of doubles are exact', () => {
  const random = seededRandom(1);
  for (let i = 0; i < 500; i++) {
    const [a, b] = [(random.next() - 0.5) * 2 ** random.int(-10, 40), (random.next() - 0.5) * 2 ** random.int(-10, 40)];
    expect(exactly(twoSum(a, b))).toBe(exact(a) + exact(b));
    expect(exactly(twoProduct(a, b))).toBe((exact(a) * exact(b)) / UNIT);
  }
});

test('arithmetic keeps about a hundred bits', () => {
  const random = seededRandom(2);
  const wide = () => add(twoSum(random.next() + 1, random.next() * 2 ** -54), ZERO);
  for (let i = 0; i < 500; i++) {
    const [a, b] = [wide(), wide()];
    const factor = random.int(1, 1000);
    expectClose(exactly(add(a, b)), exactly(a) + exactly(b), 100n);
    expectClose(exactly(multiply(a, b)), (exactly(a) * exactly(b)) / UNIT, 96n);
    expectClose(exactly(scale(a, factor)), exactly(a) * BigInt(factor), 96n);
    expectClose(exactly(divide(a, factor)), exactly(a) / BigInt(factor), 96n);
    expect(toNumber(add(a, negate(a)))).toBe(0);
  }
});

test('numbers near the end of the range are divided as well', () => {
  expect(divide(add({ high: 8e307, low: 0 }, { high: 8e307, low: 0 }), 2)).toEqual({ high: 8e307, low: 0 });
});

test('what is beyond the range of a double stays there', () => {
  expect(add({ high: Number.MAX_VALUE, low: 0 }, { high: Number.MAX_VALUE, low: 0 }).high).toBeNaN();
});
