// Passes that look at each cell: inclusive ranges, bins, digits of keys, differences.
import { loadLast, loadPair, orderKey, squareError, storeDoubleDouble, sumError } from './lanes';

/**
 * Number of cells with low <= cell <= high; the bounds are two cells at `bounds` and `bounds` + 8. NaN is in no range.
 */
export function countRange<T>(data: usize, cells: i32, bounds: usize): i32 {
  const low = load<T>(bounds);
  const high = load<T>(bounds, 8);
  const end = data + <usize>cells * sizeof<T>();
  let at = data;
  let count = 0;
  const lows = rangeBound<T>(low);
  const highs = rangeBound<T>(high);
  const whole = data + ((<usize>cells * sizeof<T>()) & ~15);
  for (; at < whole; at += 16) {
    const inside = insideMask<T>(at, lows, highs);
    if (sizeof<T>() === 8) count += i32.popcnt(i64x2.bitmask(inside));
    else if (sizeof<T>() === 4) count += i32.popcnt(i32x4.bitmask(inside));
    else if (sizeof<T>() === 2) count += i32.popcnt(i16x8.bitmask(inside));
    else count += i32.popcnt(i8x16.bitmask(inside));
  }
  for (; at < end; at += sizeof<T>()) {
    const x = load<T>(at);
    count += i32(x >= low) & i32(x <= high);
  }
  return count;
}

/** Which cells of a vector are in a range: all bits of a lane, or none. */
function insideMask<T>(at: usize, lows: v128, highs: v128): v128 {
  const x = v128.load(at);
  if (isInteger<T>() && sizeof<T>() === 8) {
    // There is no comparison of unsigned 64-bit lanes: they are shifted to the signed range, as the bounds were.
    const y = isSigned<T>() ? x : v128.xor(x, i64x2.splat(i64.MIN_VALUE));
    return v128.and(i64x2.ge_s(y, lows), i64x2.le_s(y, highs));
  }
  return v128.and(v128.ge<T>(x, lows), v128.le<T>(x, highs));
}

function rangeBound<T>(bound: T): v128 {
  if (isInteger<T>() && sizeof<T>() === 8 && !isSigned<T>()) return i64x2.splat(<i64>bound ^ i64.MIN_VALUE);
  return v128.splat<T>(bound);
}

/** The masks of eight cells as 16-bit lanes. */
function insideMask8<T>(at: usize, lows: v128, highs: v128): v128 {
  if (sizeof<T>() === 2) return insideMask<T>(at, lows, highs);
  const a = insideMask<T>(at, lows, highs);
  const b = insideMask<T>(at + 16, lows, highs);
  if (sizeof<T>() === 4) return i16x8.narrow_i32x4_s(a, b);
  const c = insideMask<T>(at + 32, lows, highs);
  const d = insideMask<T>(at + 48, lows, highs);
  return i16x8.narrow_i32x4_s(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(c, d, 0, 2, 4, 6));
}

/** Writes a byte a cell at `out`: 1 where low <= cell <= high, else 0. Bounds as for `countRange`. */
export function maskRange<T>(data: usize, cells: i32, bounds: usize, out: usize): void {
  const low = load<T>(bounds);
  const high = load<T>(bounds, 8);
  const lows = rangeBound<T>(low);
  const highs = rangeBound<T>(high);
  const ones = i8x16.splat(1);
  const whole = <usize>cells & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    const at = data + i * sizeof<T>();
    let inside: v128;
    if (sizeof<T>() === 1) {
      inside = insideMask<T>(at, lows, highs);
    } else {
      inside = i8x16.narrow_i16x8_s(insideMask8<T>(at, lows, highs), insideMask8<T>(at + 8 * sizeof<T>(), lows, highs));
    }
    v128.store(out + i, v128.and(inside, ones));
  }
  for (let i = whole; i < <usize>cells; i++) {
    const x = load<T>(data + i * sizeof<T>());
    store<u8>(out + i, <u8>(i32(x >= low) & i32(x <= high)));
  }
}

/** Adds to `bins` counters (u32 each) at `out`: floor((x - lower) / (upper - lower) * bins) for lower <= x < upper. */
export function histogram<T>(data: usize, cells: i32, lower: f64, upper: f64, bins: i32, out: usize): void {
  const width = upper - lower;
  const scale = <f64>bins;
  const last = <f64>(bins - 1);
  for (let i: usize = 0; i < <usize>cells; i++) {
    const x = <f64>load<T>(data + i * sizeof<T>());
    if (!(x >= lower && x < upper)) continue;
    const share = ((x - lower) / width) * scale;
    // The last bin also takes what rounds up to the edge.
    const bin = share < last ? <i32>share : bins - 1;
    const at = out + ((<usize>bin) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/**
 * Adds to 65,536 counters (u32 each) at `out`, by 16 bits of the order key above `shift`, the cells in the inclusive
 * range given at `bounds` as for `countRange`: those whose key has the prefix looked for.
 */
export function countDigits<T>(data: usize, cells: i32, bounds: usize, shift: i32, out: usize): void {
  const low = load<T>(bounds);
  const high = load<T>(bounds, 8);
  const lows = rangeBound<T>(low);
  const highs = rangeBound<T>(high);
  const end = data + <usize>cells * sizeof<T>();
  const whole = data + ((<usize>cells * sizeof<T>()) & ~63);
  for (let block = data; block < end; block += 64) {
    // Most blocks of a search that has come far hold none of its cells.
    if (block < whole) {
      const near = v128.or(insideMask<T>(block, lows, highs), insideMask<T>(block + 16, lows, highs));
      const far = v128.or(insideMask<T>(block + 32, lows, highs), insideMask<T>(block + 48, lows, highs));
      if (!v128.any_true(v128.or(near, far))) continue;
    }
    const last = min(block + 64, end);
    for (let at = block; at < last; at += sizeof<T>()) {
      const x = load<T>(at);
      if (!(x >= low && x <= high)) continue;
      const counter = out + ((<usize>((orderKey<T>(x) >> <u64>shift) & 0xffff)) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
}

/**
 * Compares with the cells at `other`; NaN on either side is left out, and equal infinities do not differ. Writes the
 * largest difference at `out` (f64; u64 for 64-bit integers), the number of cells compared (i64) at +8 and, where asked
 * for, the double-double sum of the squared differences at +16.
 */
export function difference<T>(data: usize, other: usize, cells: i32, out: usize, withSquares: i32): void {
  if (isInteger<T>() && sizeof<T>() === 8) wideDifference<T>(data, other, cells, out);
  else pairDifference<T>(data, other, cells, out, withSquares);
}

function pairDifference<T>(data: usize, other: usize, cells: i32, out: usize, withSquares: i32): void {
  let largest = f64x2.splat(0);
  let compared = i64x2.splat(0);
  let squares = largest;
  let errors = largest;
  const pairs = cells & ~1;
  for (let i = 0; i < cells; i += 2) {
    const offset = <usize>i * sizeof<T>();
    let a: v128;
    let b: v128;
    if (i < pairs) {
      a = loadPair<T>(data + offset);
      b = loadPair<T>(other + offset);
    } else {
      a = loadLast<T>(data + offset);
      b = loadLast<T>(other + offset);
    }
    let d = f64x2.sub(a, b);
    if (isFloat<T>()) {
      d = v128.andnot(d, f64x2.eq(a, b));
      const isNumber = f64x2.eq(d, d);
      compared = i64x2.sub(compared, isNumber);
      d = v128.and(d, isNumber);
    }
    largest = f64x2.pmax(largest, f64x2.abs(d));
    if (withSquares) {
      const square = f64x2.mul(d, d);
      const next = f64x2.add(squares, square);
      errors = f64x2.add(errors, sumError(squares, square, next));
      if (sizeof<T>() >= 4) errors = f64x2.add(errors, squareError(d, square));
      squares = next;
    }
  }
  store<f64>(out, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)));
  let count = <i64>cells;
  // The odd cell's empty lane was compared as well.
  if (isFloat<T>()) count = i64x2.extract_lane(compared, 0) + i64x2.extract_lane(compared, 1) - <i64>(cells & 1);
  store<i64>(out, count, 8);
  storeDoubleDouble(out + 16, squares, errors);
}

function wideDifference<T>(data: usize, other: usize, cells: i32, out: usize): void {
  let largest: u64 = 0;
  let squares = f64x2.splat(0);
  let errors = squares;
  for (let i: usize = 0; i < <usize>cells; i++) {
    const a = load<T>(data + i * 8);
    const b = load<T>(other + i * 8);
    const apart = a > b ? <u64>a - <u64>b : <u64>b - <u64>a;
    if (apart > largest) largest = apart;
    const d = f64x2.replace_lane(f64x2.splat(0), 0, <f64>apart);
    const square = f64x2.mul(d, d);
    const next = f64x2.add(squares, square);
    errors = f64x2.add(errors, f64x2.add(sumError(squares, square, next), squareError(d, square)));
    squares = next;
  }
  store<u64>(out, largest);
  store<i64>(out, cells, 8);
  storeDoubleDouble(out + 16, squares, errors);
}
