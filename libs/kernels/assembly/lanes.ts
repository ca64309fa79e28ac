// What the passes share: cells as pairs of doubles, error-free sums and squares, order-preserving keys.

/** Two adjacent cells, widened to doubles. Not for 64-bit integers: they do not fit. */
export function loadPair<T>(at: usize): v128 {
  if (isFloat<T>()) {
    if (sizeof<T>() === 8) return v128.load(at);
    return f64x2.promote_low_f32x4(v128.load64_zero(at));
  }
  if (sizeof<T>() === 4) {
    const cells = v128.load64_zero(at);
    return isSigned<T>() ? f64x2.convert_low_i32x4_s(cells) : f64x2.convert_low_i32x4_u(cells);
  }
  const first = f64x2.splat(<f64>load<T>(at));
  return f64x2.replace_lane(first, 1, <f64>load<T>(at + sizeof<T>()));
}

/** One cell and a zero: the odd one at the end of a pass. */
export function loadLast<T>(at: usize): v128 {
  return f64x2.replace_lane(f64x2.splat(0), 0, <f64>load<T>(at));
}

/** Rounding error of `sum` = a + b (Knuth's TwoSum). */
export function sumError(a: v128, b: v128, sum: v128): v128 {
  const virtual = f64x2.sub(sum, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(sum, virtual)), f64x2.sub(b, virtual));
}

/** Rounding error of `square` = x * x (Dekker, with Veltkamp's split: there is no fused multiply-add). */
export function squareError(x: v128, square: v128): v128 {
  const scaled = f64x2.mul(x, f64x2.splat(134217729));
  const high = f64x2.sub(scaled, f64x2.sub(scaled, x));
  const low = f64x2.sub(x, high);
  const cross = f64x2.mul(high, low);
  const rest = f64x2.sub(f64x2.mul(high, high), square);
  return f64x2.add(f64x2.add(f64x2.add(rest, cross), cross), f64x2.mul(low, low));
}

/** Writes the double-double sum of two lanes of sums and their errors as two doubles. */
export function storeDoubleDouble(out: usize, sum: v128, error: v128): void {
  const a = f64x2.extract_lane(sum, 0);
  const b = f64x2.extract_lane(sum, 1);
  const high = a + b;
  const virtual = high - a;
  const low = a - (high - virtual) + (b - virtual);
  store<f64>(out, high);
  store<f64>(out, low + f64x2.extract_lane(error, 0) + f64x2.extract_lane(error, 1), 8);
}

export function isFiniteMask(x: v128): v128 {
  return f64x2.lt(f64x2.abs(x), f64x2.splat(Infinity));
}

/** A key whose unsigned order is the numbers' order; negative zero has that of zero. Not for NaN. */
export function orderKey<T>(cell: T): u64 {
  if (isFloat<T>()) {
    if (sizeof<T>() === 8) {
      const bits = reinterpret<u64>(<f64>cell + 0.0);
      return bits ^ (<u64>(<i64>bits >> 63) | 0x8000000000000000);
    }
    const bits = reinterpret<u32>(<f32>cell + <f32>0.0);
    return <u64>(bits ^ (<u32>(<i32>bits >> 31) | 0x80000000));
  }
  if (sizeof<T>() === 8) return isSigned<T>() ? <u64>cell ^ 0x8000000000000000 : <u64>cell;
  if (isSigned<T>()) return <u64>(<i64>cell + ((<i64>1) << (sizeof<T>() * 8 - 1)));
  return <u64>cell;
}
