// Extrema, sums and moments of one block of at most 256 KiB. A block's results are written at `out` and merged outside.
//
// Floats: +0 f64 min, +8 f64 max, +16 i64 finite cells, +24 i64 NaN cells, +32 sum of the finite cells (two doubles).
// Integers: +0 i64 min, +8 i64 max, +32 i64 and +40 i64: sum = first + second * 2^32.
import { isFiniteMask, loadLast, loadPair, squareError, storeDoubleDouble, sumError } from './lanes';

export function stats<T>(data: usize, cells: i32, out: usize, withSum: i32): void {
  if (isFloat<T>()) {
    if (withSum ? fastFloatSums<T>(data, cells, out) : fastFloatExtrema<T>(data, cells, out)) return;
    carefulFloats<T>(data, cells, out);
  } else if (sizeof<T>() === 8) {
    wideIntegers<T>(data, cells, out);
  } else {
    narrowIntegers<T>(data, cells, out);
  }
}

function storeFloatExtrema<T>(out: usize, lowest: v128, highest: v128, cells: i32): void {
  if (sizeof<T>() === 8) {
    store<f64>(out, min(f64x2.extract_lane(lowest, 0), f64x2.extract_lane(lowest, 1)));
    store<f64>(out, max(f64x2.extract_lane(highest, 0), f64x2.extract_lane(highest, 1)), 8);
  } else {
    const low = min(
      min(f32x4.extract_lane(lowest, 0), f32x4.extract_lane(lowest, 1)),
      min(f32x4.extract_lane(lowest, 2), f32x4.extract_lane(lowest, 3)),
    );
    const high = max(
      max(f32x4.extract_lane(highest, 0), f32x4.extract_lane(highest, 1)),
      max(f32x4.extract_lane(highest, 2), f32x4.extract_lane(highest, 3)),
    );
    store<f64>(out, <f64>low);
    store<f64>(out, <f64>high, 8);
  }
  store<i64>(out, cells, 16);
  store<i64>(out, 0, 24);
}

/** Gives up, answering false, where a cell is not finite: the plain sum tells. */
function fastFloatExtrema<T>(data: usize, cells: i32, out: usize): bool {
  let lowest0 = v128.splat<T>(<T>Infinity);
  let highest0 = v128.splat<T>(<T>-Infinity);
  let lowest1 = lowest0;
  let highest1 = highest0;
  let sum0 = v128.splat<T>(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  const bytes = <usize>cells * sizeof<T>();
  const end = data + bytes;
  const whole = data + (bytes & ~63);
  let at = data;
  for (; at < whole; at += 64) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    lowest0 = v128.pmin<T>(lowest0, a);
    highest0 = v128.pmax<T>(highest0, a);
    lowest1 = v128.pmin<T>(lowest1, b);
    highest1 = v128.pmax<T>(highest1, b);
    lowest0 = v128.pmin<T>(lowest0, c);
    highest0 = v128.pmax<T>(highest0, c);
    lowest1 = v128.pmin<T>(lowest1, d);
    highest1 = v128.pmax<T>(highest1, d);
    sum0 = v128.add<T>(sum0, a);
    sum1 = v128.add<T>(sum1, b);
    sum2 = v128.add<T>(sum2, c);
    sum3 = v128.add<T>(sum3, d);
  }
  for (; at < end; at += sizeof<T>()) {
    const a = v128.splat<T>(load<T>(at));
    lowest0 = v128.pmin<T>(lowest0, a);
    highest0 = v128.pmax<T>(highest0, a);
    sum0 = v128.add<T>(sum0, a);
  }
  lowest0 = v128.pmin<T>(lowest0, lowest1);
  highest0 = v128.pmax<T>(highest0, highest1);
  sum0 = v128.add<T>(v128.add<T>(sum0, sum1), v128.add<T>(sum2, sum3));
  // Every lane is NaN or infinite if one of its cells was; x - x is zero for all else.
  const zero = v128.sub<T>(sum0, sum0);
  if (!v128.all_true<i32>(v128.eq<T>(zero, zero))) return false;
  storeFloatExtrema<T>(out, lowest0, highest0, cells);
  return true;
}

function fastFloatSums<T>(data: usize, cells: i32, out: usize): bool {
  let lowest0 = v128.splat<T>(<T>Infinity);
  let highest0 = v128.splat<T>(<T>-Infinity);
  let lowest1 = lowest0;
  let highest1 = highest0;
  // Four sums: an addition takes three to four cycles until its result can be added to.
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let error0 = sum0;
  let error1 = sum0;
  let error2 = sum0;
  let error3 = sum0;
  const bytes = <usize>cells * sizeof<T>();
  const end = data + bytes;
  const step: usize = sizeof<T>() === 8 ? 64 : 32;
  const whole = data + (bytes & ~(step - 1));
  let at = data;
  for (; at < whole; at += step) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    lowest0 = v128.pmin<T>(lowest0, a);
    highest0 = v128.pmax<T>(highest0, a);
    lowest1 = v128.pmin<T>(lowest1, b);
    highest1 = v128.pmax<T>(highest1, b);
    let w = a;
    let x = b;
    let y: v128;
    let z: v128;
    if (sizeof<T>() === 8) {
      y = v128.load(at, 32);
      z = v128.load(at, 48);
      lowest0 = v128.pmin<T>(lowest0, y);
      highest0 = v128.pmax<T>(highest0, y);
      lowest1 = v128.pmin<T>(lowest1, z);
      highest1 = v128.pmax<T>(highest1, z);
    } else {
      w = loadPair<T>(at);
      x = loadPair<T>(at + 8);
      y = loadPair<T>(at + 16);
      z = loadPair<T>(at + 24);
    }
    const next0 = f64x2.add(sum0, w);
    const next1 = f64x2.add(sum1, x);
    const next2 = f64x2.add(sum2, y);
    const next3 = f64x2.add(sum3, z);
    error0 = f64x2.add(error0, sumError(sum0, w, next0));
    error1 = f64x2.add(error1, sumError(sum1, x, next1));
    error2 = f64x2.add(error2, sumError(sum2, y, next2));
    error3 = f64x2.add(error3, sumError(sum3, z, next3));
    sum0 = next0;
    sum1 = next1;
    sum2 = next2;
    sum3 = next3;
  }
  for (; at < end; at += sizeof<T>()) {
    const a = v128.splat<T>(load<T>(at));
    lowest0 = v128.pmin<T>(lowest0, a);
    highest0 = v128.pmax<T>(highest0, a);
    const x = loadLast<T>(at);
    const next = f64x2.add(sum0, x);
    error0 = f64x2.add(error0, sumError(sum0, x, next));
    sum0 = next;
  }
  const half0 = f64x2.add(sum0, sum1);
  const half1 = f64x2.add(sum2, sum3);
  const sum = f64x2.add(half0, half1);
  const zero = f64x2.sub(sum, sum);
  if (!v128.all_true<i32>(f64x2.eq(zero, zero))) return false;
  let error = f64x2.add(f64x2.add(error0, error1), f64x2.add(error2, error3));
  error = f64x2.add(error, f64x2.add(sumError(sum0, sum1, half0), sumError(sum2, sum3, half1)));
  error = f64x2.add(error, sumError(half0, half1, sum));
  storeFloatExtrema<T>(out, v128.pmin<T>(lowest0, lowest1), v128.pmax<T>(highest0, highest1), cells);
  storeDoubleDouble(out + 32, sum, error);
  return true;
}

/** Blocks with NaN or infinite cells (masked data, say), and those whose plain sum overflows. */
function carefulFloats<T>(data: usize, cells: i32, out: usize): void {
  let lowest = f64x2.splat(Infinity);
  let highest = f64x2.splat(-Infinity);
  let finite = i64x2.splat(0);
  let numbers = finite;
  let sum = f64x2.splat(0);
  let error = sum;
  const pairs = cells & ~1;
  for (let i = 0; i < cells; i += 2) {
    const at = data + <usize>i * sizeof<T>();
    // The odd cell at the end stands in both lanes and counts in the first.
    const x = i < pairs ? loadPair<T>(at) : f64x2.splat(<f64>load<T>(at));
    let isNumber = f64x2.eq(x, x);
    let isFiniteCell = isFiniteMask(x);
    if (i === pairs) {
      isNumber = v128.and(isNumber, i64x2(-1, 0));
      isFiniteCell = v128.and(isFiniteCell, i64x2(-1, 0));
    }
    lowest = f64x2.pmin(lowest, x);
    highest = f64x2.pmax(highest, x);
    numbers = i64x2.sub(numbers, isNumber);
    finite = i64x2.sub(finite, isFiniteCell);
    const term = v128.and(x, isFiniteCell);
    const next = f64x2.add(sum, term);
    error = f64x2.add(error, sumError(sum, term, next));
    sum = next;
  }
  store<f64>(out, min(f64x2.extract_lane(lowest, 0), f64x2.extract_lane(lowest, 1)));
  store<f64>(out, max(f64x2.extract_lane(highest, 0), f64x2.extract_lane(highest, 1)), 8);
  store<i64>(out, i64x2.extract_lane(finite, 0) + i64x2.extract_lane(finite, 1), 16);
  store<i64>(out, <i64>cells - i64x2.extract_lane(numbers, 0) - i64x2.extract_lane(numbers, 1), 24);
  storeDoubleDouble(out + 32, sum, error);
}

function narrowIntegers<T>(data: usize, cells: i32, out: usize): void {
  let lowest: T = load<T>(data);
  let highest: T = lowest;
  let lows = v128.splat<T>(lowest);
  let highs = lows;
  let sums = i64x2.splat(0);
  let partial = i32x4.splat(0);
  const bytes = <usize>cells * sizeof<T>();
  const end = data + bytes;
  const whole = data + (bytes & ~15);
  let at = data;
  for (; at < whole; at += 16) {
    const a = v128.load(at);
    lows = v128.min<T>(lows, a);
    highs = v128.max<T>(highs, a);
    if (sizeof<T>() === 4) {
      sums = i64x2.add(sums, i64x2.add(v128.extend_low<T>(a), v128.extend_high<T>(a)));
    } else if (sizeof<T>() === 2) {
      // 2^14 vectors a block, 2 * 65535 each at most: 32 bits are enough.
      partial = i32x4.add(partial, v128.extadd_pairwise<T>(a));
    } else if (isSigned<T>()) {
      partial = i32x4.add(partial, i32x4.extadd_pairwise_i16x8_s(v128.extadd_pairwise<T>(a)));
    } else {
      partial = i32x4.add(partial, i32x4.extadd_pairwise_i16x8_u(v128.extadd_pairwise<T>(a)));
    }
  }
  if (sizeof<T>() < 4) {
    if (isSigned<T>()) {
      sums = i64x2.add(i64x2.extend_low_i32x4_s(partial), i64x2.extend_high_i32x4_s(partial));
    } else {
      sums = i64x2.add(i64x2.extend_low_i32x4_u(partial), i64x2.extend_high_i32x4_u(partial));
    }
  }
  let sum = i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
  v128.store(out, lows);
  v128.store(out, highs, 16);
  for (let lane: usize = 0; lane < 16; lane += sizeof<T>()) {
    lowest = min<T>(lowest, load<T>(out + lane));
    highest = max<T>(highest, load<T>(out + lane, 16));
  }
  for (; at < end; at += sizeof<T>()) {
    const x = load<T>(at);
    lowest = min<T>(lowest, x);
    highest = max<T>(highest, x);
    sum += <i64>x;
  }
  store<i64>(out, <i64>lowest);
  store<i64>(out, <i64>highest, 8);
  store<i64>(out, sum, 32);
  store<i64>(out, 0, 40);
}

function wideIntegers<T>(data: usize, cells: i32, out: usize): void {
  let lowest: T = load<T>(data);
  let highest: T = lowest;
  let low: u64 = 0;
  let high: i64 = 0;
  const end = data + <usize>cells * 8;
  for (let at = data; at < end; at += 8) {
    const x = load<T>(at);
    if (x < lowest) lowest = x;
    if (x > highest) highest = x;
    low += <u64>x & 0xffffffff;
    high += isSigned<T>() ? <i64>x >> 32 : <i64>(<u64>x >> 32);
  }
  store<i64>(out, <i64>lowest);
  store<i64>(out, <i64>highest, 8);
  store<u64>(out, low, 32);
  store<i64>(out, high, 40);
}

/**
 * Floats: double-double sums of (x - pivot) at +0 and of its square at +16, over the finite cells.
 * Integers: six i64 at +0, a0 a1 b0 b1 c0 c1; the sum of squares is a + 2^33 b + 2^64 c with each = first + second *
 * 2^32. Of uint64 it is the cells less 2^63, which fit a signed number.
 */
export function moments<T>(data: usize, cells: i32, out: usize, pivot: f64): void {
  if (isFloat<T>()) floatMoments<T>(data, cells, out, pivot);
  else integerMoments<T>(data, cells, out);
}

function floatMoments<T>(data: usize, cells: i32, out: usize, pivot: f64): void {
  const center = f64x2.splat(-pivot);
  let sum = f64x2.splat(0);
  let sumErrors = sum;
  let squares = sum;
  let squareErrors = sum;
  const pairs = cells & ~1;
  const lastLane = i64x2(-1, 0);
  for (let i = 0; i < cells; i += 2) {
    const at = data + <usize>i * sizeof<T>();
    const x = i < pairs ? loadPair<T>(at) : loadLast<T>(at);
    let mask = isFiniteMask(x);
    if (i >= pairs) mask = v128.and(mask, lastLane);
    let d = x;
    let low = f64x2.splat(0);
    if (sizeof<T>() === 8) {
      d = f64x2.add(x, center);
      low = v128.and(sumError(x, center, d), mask);
    }
    d = v128.and(d, mask);
    let next = f64x2.add(sum, d);
    sumErrors = f64x2.add(sumErrors, f64x2.add(sumError(sum, d, next), low));
    sum = next;
    // The square of a float32 is exact.
    const square = f64x2.mul(d, d);
    if (sizeof<T>() === 8) {
      low = f64x2.mul(f64x2.add(low, low), d);
      squareErrors = f64x2.add(squareErrors, f64x2.add(squareError(d, square), low));
    }
    next = f64x2.add(squares, square);
    squareErrors = f64x2.add(squareErrors, sumError(squares, square, next));
    squares = next;
  }
  storeDoubleDouble(out, sum, sumErrors);
  storeDoubleDouble(out + 16, squares, squareErrors);
}

function integerMoments<T>(data: usize, cells: i32, out: usize): void {
  let a0: u64 = 0;
  let a1: u64 = 0;
  let b0: i64 = 0;
  let b1: i64 = 0;
  let c0: u64 = 0;
  let c1: u64 = 0;
  const end = data + <usize>cells * sizeof<T>();
  let at = data;
  if (sizeof<T>() < 8) {
    const whole = data + ((<usize>cells * sizeof<T>()) & ~15);
    let low = i64x2.splat(0);
    let high = low;
    let partial = i32x4.splat(0);
    for (; at < whole; at += 16) {
      const x = v128.load(at);
      const first = v128.extmul_low<T>(x, x);
      const second = v128.extmul_high<T>(x, x);
      if (sizeof<T>() === 4) {
        const mask = i64x2.splat(0xffffffff);
        low = i64x2.add(low, i64x2.add(v128.and(first, mask), v128.and(second, mask)));
        high = i64x2.add(high, i64x2.add(i64x2.shr_u(first, 32), i64x2.shr_u(second, 32)));
      } else if (sizeof<T>() === 2) {
        low = i64x2.add(low, i64x2.add(i64x2.extend_low_i32x4_u(first), i64x2.extend_high_i32x4_u(first)));
        low = i64x2.add(low, i64x2.add(i64x2.extend_low_i32x4_u(second), i64x2.extend_high_i32x4_u(second)));
      } else {
        // 2^14 vectors a block, 4 * 255^2 each at most: 32 bits are enough.
        partial = i32x4.add(partial, i32x4.extadd_pairwise_i16x8_u(first));
        partial = i32x4.add(partial, i32x4.extadd_pairwise_i16x8_u(second));
      }
    }
    low = i64x2.add(low, i64x2.add(i64x2.extend_low_i32x4_u(partial), i64x2.extend_high_i32x4_u(partial)));
    a0 = i64x2.extract_lane(low, 0) + i64x2.extract_lane(low, 1);
    a1 = i64x2.extract_lane(high, 0) + i64x2.extract_lane(high, 1);
  }
  for (; at < end; at += sizeof<T>()) {
    if (sizeof<T>() < 8) {
      const x = <i64>load<T>(at);
      const square = <u64>(x * x);
      if (sizeof<T>() === 4) {
        a0 += square & 0xffffffff;
        a1 += square >> 32;
      } else {
        a0 += square;
      }
    } else {
      const x = isSigned<T>() ? load<i64>(at) : load<i64>(at) ^ i64.MIN_VALUE;
      const high = x >> 32;
      const low = <u64>x & 0xffffffff;
      const lowSquare = low * low;
      const cross = high * <i64>low;
      const highSquare = <u64>(high * high);
      a0 += lowSquare & 0xffffffff;
      a1 += lowSquare >> 32;
      b0 += cross & 0xffffffff;
      b1 += cross >> 32;
      c0 += highSquare & 0xffffffff;
      c1 += highSquare >> 32;
    }
  }
  store<u64>(out, a0);
  store<u64>(out, a1, 8);
  store<i64>(out, b0, 16);
  store<i64>(out, b1, 24);
  store<u64>(out, c0, 32);
  store<u64>(out, c1, 40);
}
