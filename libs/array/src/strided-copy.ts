import type { Box } from '@tidegate/geometry';
import { ArrayShapeError } from './array-error.js';
import { packedBytes, planRuns, type RunPlan } from './runs.js';

/**
 * Longest run, in machine words of its width, that is copied by a loop: beyond it, the 40 ns that
 * `target.set(source.subarray())` costs before its first byte are earned back (see `bench/strided-copy.ts`).
 */
const MAX_LOOP_WORDS = 32;

/**
 * Copies the cells of `box` from a packed row-major array over `sourceBox` into one over `targetBox`; other cells of
 * the target stay as they are. Bits are moved unchanged, NaN payloads included. `source` and `target` may have any
 * alignment but must not overlap.
 *
 * @param options.itemSize bytes per cell
 * @throws ArrayShapeError if `box` is not inside both boxes or an array has not the size of its box
 */
export function copyBox(options: {
  source: Uint8Array;
  sourceBox: Box;
  target: Uint8Array;
  targetBox: Box;
  box: Box;
  itemSize: number;
}): void {
  const { source, target } = options;
  const plan = planRuns(options);
  assertPacked(source, options.sourceBox, options.itemSize, 'source');
  assertPacked(target, options.targetBox, options.itemSize, 'target');
  if (plan.runs === 0) return;
  if (plan.runs === 1) {
    target.set(source.subarray(plan.sourceOffset, plan.sourceOffset + plan.runBytes), plan.targetOffset);
    return;
  }
  copyRuns(source, target, plan);
}

/**
 * The cells of `box` as a new packed row-major array.
 *
 * @throws ArrayShapeError if `box` is not inside `sourceBox` or `source` has not the size of its box
 */
export function extractBox(source: Uint8Array, sourceBox: Box, box: Box, itemSize: number): Uint8Array<ArrayBuffer> {
  const plan = planRuns({ sourceBox, targetBox: box, box, itemSize });
  assertPacked(source, sourceBox, itemSize, 'source');
  if (plan.runs <= 1) return new Uint8Array(source.subarray(plan.sourceOffset, plan.sourceOffset + plan.runBytes));
  const target = new Uint8Array(plan.runs * plan.runBytes);
  copyRuns(source, target, plan);
  return target;
}

function assertPacked(bytes: Uint8Array, box: Box, itemSize: number, role: 'source' | 'target'): void {
  const expected = packedBytes(box, itemSize);
  if (bytes.byteLength !== expected) {
    throw new ArrayShapeError(`expected a ${role} of ${expected} bytes, got ${bytes.byteLength}`);
  }
}

/** Copies one row of runs, the innermost loop of a plan, that starts at these byte offsets. */
type RowCopy = (sourceOffset: number, targetOffset: number) => void;

function copyRuns(source: Uint8Array, target: Uint8Array, plan: RunPlan): void {
  const { counts, sourceSteps, targetSteps } = plan;
  const copyRow = rowCopy(source, target, plan);
  const rows = plan.runs / (counts[0] ?? 1);
  const index = new Array<number>(counts.length).fill(0);
  let sourceOffset = plan.sourceOffset;
  let targetOffset = plan.targetOffset;
  for (let row = 0; row < rows; row++) {
    copyRow(sourceOffset, targetOffset);
    for (let loop = 1; loop < counts.length; loop++) {
      const next = (index[loop] ?? 0) + 1;
      const count = counts[loop] ?? 1;
      const sourceStep = sourceSteps[loop] ?? 0;
      const targetStep = targetSteps[loop] ?? 0;
      sourceOffset += sourceStep;
      targetOffset += targetStep;
      if (next < count) {
        index[loop] = next;
        break;
      }
      index[loop] = 0;
      sourceOffset -= sourceStep * count;
      targetOffset -= targetStep * count;
    }
  }
}

/** Chooses the loop for a plan's rows: whole runs at once when they are long, else the widest word that fits. */
function rowCopy(source: Uint8Array, target: Uint8Array, plan: RunPlan): RowCopy {
  const length = plan.runBytes;
  const rows = plan.counts[0] ?? 1;
  const step = plan.sourceSteps[0] ?? 0;
  const stride = plan.targetSteps[0] ?? 0;
  const width = wordWidth(source, target, plan);
  // Messages place payloads at any address, so whole words that are out of line go through a DataView.
  const outOfLine = width < 8 && length % 8 === 0;
  if (length > MAX_LOOP_WORDS * (outOfLine ? 8 : width)) {
    return (s, t) => copyLongRuns(source, target, { s, t, rows, length, step, stride });
  }
  if (outOfLine) {
    const from = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const to = new DataView(target.buffer, target.byteOffset, target.byteLength);
    return (s, t) => copyUnalignedWords(from, to, { s, t, rows, length, step, stride });
  }
  const place = (s: number, t: number): Rows => ({
    s: s / width,
    t: t / width,
    rows,
    length: length / width,
    step: step / width,
    stride: stride / width,
  });
  switch (width) {
    case 8: {
      const from = new BigInt64Array(source.buffer, source.byteOffset, Math.floor(source.byteLength / 8));
      const to = new BigInt64Array(target.buffer, target.byteOffset, Math.floor(target.byteLength / 8));
      return (s, t) => copyWords8(from, to, place(s, t));
    }
    case 4: {
      const from = new Int32Array(source.buffer, source.byteOffset, Math.floor(source.byteLength / 4));
      const to = new Int32Array(target.buffer, target.byteOffset, Math.floor(target.byteLength / 4));
      return (s, t) => copyWords4(from, to, place(s, t));
    }
    case 2: {
      const from = new Int16Array(source.buffer, source.byteOffset, Math.floor(source.byteLength / 2));
      const to = new Int16Array(target.buffer, target.byteOffset, Math.floor(target.byteLength / 2));
      return (s, t) => copyWords2(from, to, place(s, t));
    }
    default:
      return (s, t) => copyBytes(source, target, place(s, t));
  }
}

/** The widest word in which every run of the plan starts and ends, in both arrays. */
function wordWidth(source: Uint8Array, target: Uint8Array, plan: RunPlan): 1 | 2 | 4 | 8 {
  // The lowest set bit of the union is the largest power of two that divides all of them.
  let bits = source.byteOffset | target.byteOffset | plan.sourceOffset | plan.targetOffset | plan.runBytes;
  for (const step of plan.sourceSteps) bits |= step;
  for (const step of plan.targetSteps) bits |= step;
  if ((bits & 7) === 0) return 8;
  if ((bits & 3) === 0) return 4;
  return (bits & 1) === 0 ? 2 : 1;
}

/** Equally spaced runs: first offsets, how many, their length, and the spacing in the source and in the target. */
interface Rows {
  readonly s: number;
  readonly t: number;
  readonly rows: number;
  readonly length: number;
  readonly step: number;
  readonly stride: number;
}

// One function per element type: a shared one would see five types of array and lose its inlined accesses. Integers,
// since an engine may rewrite the bits of a NaN that it passes along as a float.

function copyWords8(source: BigInt64Array, target: BigInt64Array, { s, t, rows, length, step, stride }: Rows): void {
  for (let row = 0, a = s, b = t; row < rows; row++, a += step, b += stride) {
    for (let i = 0; i < length; i++) target[b + i] = source[a + i] as bigint;
  }
}

function copyWords4(source: Int32Array, target: Int32Array, { s, t, rows, length, step, stride }: Rows): void {
  for (let row = 0, a = s, b = t; row < rows; row++, a += step, b += stride) {
    for (let i = 0; i < length; i++) target[b + i] = source[a + i] as number;
  }
}

function copyWords2(source: Int16Array, target: Int16Array, { s, t, rows, length, step, stride }: Rows): void {
  for (let row = 0, a = s, b = t; row < rows; row++, a += step, b += stride) {
    for (let i = 0; i < length; i++) target[b + i] = source[a + i] as number;
  }
}

function copyBytes(source: Uint8Array, target: Uint8Array, { s, t, rows, length, step, stride }: Rows): void {
  for (let row = 0, a = s, b = t; row < rows; row++, a += step, b += stride) {
    for (let i = 0; i < length; i++) target[b + i] = source[a + i] as number;
  }
}

function copyUnalignedWords(source: DataView, target: DataView, { s, t, rows, length, step, stride }: Rows): void {
  for (let row = 0, a = s, b = t; row < rows; row++, a += step, b += stride) {
    for (let i = 0; i < length; i += 8) target.setBigInt64(b + i, source.getBigInt64(a + i, true), true);
  }
}

function copyLongRuns(source: Uint8Array, target: Uint8Array, { s, t, rows, length, step, stride }: Rows): void {
  for (let row = 0, a = s, b = t; row < rows; row++, a += step, b += stride) {
    target.set(source.subarray(a, a + length), b);
  }
}
