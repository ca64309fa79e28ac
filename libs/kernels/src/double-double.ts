/** An unevaluated sum of two doubles, `high` being the sum rounded: about 106 bits. */
export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

export const ZERO: DoubleDouble = { high: 0, low: 0 };

/** The exact sum of two doubles (Knuth's TwoSum). */
export function twoSum(a: number, b: number): DoubleDouble {
  const high = a + b;
  const virtual = high - a;
  return { high, low: a - (high - virtual) + (b - virtual) };
}

/** 2^27 + 1, Veltkamp's constant. */
const SPLITTER = 134_217_729;

function split(a: number): DoubleDouble {
  const scaled = SPLITTER * a;
  const high = scaled - (scaled - a);
  return { high, low: a - high };
}

/** The exact product of two doubles (Dekker 1971). Not beyond 2^996, where the split overflows. */
export function twoProduct(a: number, b: number): DoubleDouble {
  const high = a * b;
  const x = split(a);
  const y = split(b);
  return { high, low: x.low * y.low - (high - x.high * y.high - x.low * y.high - x.high * y.low) };
}

// High parts that are infinite or NaN have no error to speak of.
function renormalized(high: number, low: number): DoubleDouble {
  const sum = high + low;
  return Number.isFinite(sum) ? { high: sum, low: low - (sum - high) } : { high: sum, low: 0 };
}

export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const highs = twoSum(a.high, b.high);
  const lows = twoSum(a.low, b.low);
  const first = renormalized(highs.high, highs.low + lows.high);
  return renormalized(first.high, first.low + lows.low);
}

export function negate(a: DoubleDouble): DoubleDouble {
  return { high: -a.high, low: -a.low };
}

export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const product = twoProduct(a.high, b.high);
  return renormalized(product.high, product.low + (a.high * b.low + a.low * b.high));
}

/** `a` times a double. */
export function scale(a: DoubleDouble, factor: number): DoubleDouble {
  const product = twoProduct(a.high, factor);
  return renormalized(product.high, product.low + a.low * factor);
}

/** Beyond it the split of a product overflows, and a plain quotient has to do. */
const LARGEST_EXACT = 2 ** 990;

/** `a` divided by a double. */
export function divide(a: DoubleDouble, divisor: number): DoubleDouble {
  const first = a.high / divisor;
  if (Math.abs(a.high) > LARGEST_EXACT) return { high: first, low: 0 };
  const rest = add(a, negate(twoProduct(first, divisor)));
  const second = rest.high / divisor;
  const third = add(rest, negate(twoProduct(second, divisor))).high / divisor;
  return add(twoSum(first, second), { high: third, low: 0 });
}

export function toNumber(a: DoubleDouble): number {
  return a.high + a.low;
}
