import { describe, expect, test } from '@jest/globals';
import { extractBox, runShape } from '@tidegate/array';
import type { Box } from '@tidegate/geometry';
import fc from 'fast-check';
import { type BoxRead, copySlab, planBoxRead, type ReadTuning } from '../box-read.js';

interface Case {
  readonly source: Box;
  readonly box: Box;
}

const dimension = fc
  .record({ origin: fc.nat({ max: 5 }), extent: fc.integer({ min: 1, max: 9 }), a: fc.nat(), b: fc.nat() })
  .map(({ origin, extent, a, b }) => {
    const lower = a % extent;
    return { origin, extent, lower: origin + lower, upper: origin + lower + 1 + (b % (extent - lower)) };
  });
const cases: fc.Arbitrary<Case> = fc.array(dimension, { minLength: 1, maxLength: 4 }).map((dimensions) => ({
  source: { lower: dimensions.map((d) => d.origin), upper: dimensions.map((d) => d.origin + d.extent) },
  box: { lower: dimensions.map((d) => d.lower), upper: dimensions.map((d) => d.upper) },
}));
const tunings: fc.Arbitrary<ReadTuning> = fc.record({
  longRun: fc.constantFrom(1, 8, 32, 1e9),
  maxGap: fc.constantFrom(0, 8, 40, 1e9),
  scratchBytes: fc.constantFrom(16, 64, 300, 1e6),
});

function bytesOf(box: Box, itemSize: number): Uint8Array {
  const volume = box.lower.reduce((product, lower, d) => product * ((box.upper[d] ?? 0) - lower), itemSize);
  return Uint8Array.from({ length: volume }, (_, i) => (i * 131 + (i >> 8) * 7) & 0xff);
}

function execute(plan: Iterable<BoxRead>, bytes: Uint8Array, itemSize: number, tuning: ReadTuning, length: number) {
  const target = new Uint8Array(length);
  const scratch = new Uint8Array(tuning.scratchBytes);
  let read = 0;
  for (const part of plan) {
    const { offset, length, targetOffset } = part;
    const piece = bytes.subarray(offset, offset + length);
    expect(piece.length).toBe(length);
    read += length;
    if (part.kind === 'direct') target.set(piece, targetOffset);
    else {
      scratch.fill(0xee);
      scratch.set(piece, part.scratchOffset);
      copySlab(part, scratch, target, itemSize);
    }
  }
  return { target, read };
}

describe('planBoxRead', () => {
  test('fetches what extractBox fetches, with any tuning', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(1, 2, 8, 16), tunings, ({ source, box }, itemSize, tuning) => {
        const bytes = bytesOf(source, itemSize);
        const expected = extractBox(bytes, source, box, itemSize);
        const plan = planBoxRead(source, box, itemSize, tuning);
        expect(execute(plan, bytes, itemSize, tuning, expected.length).target).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  const tuning: ReadTuning = { longRun: 16_384, maxGap: 16_384, scratchBytes: 1 << 20 };
  const plan = (shape: readonly number[], box: Box) => [
    ...planBoxRead({ lower: shape.map(() => 0), upper: shape }, box, 8, tuning),
  ];

  test('reads a contiguous box at once', () => {
    expect(plan([64, 64, 64], { lower: [3, 0, 0], upper: [50, 64, 64] })).toEqual([
      { kind: 'direct', offset: 3 * 64 * 64 * 8, length: 47 * 64 * 64 * 8, targetOffset: 0 },
    ]);
  });

  test('reads long runs one by one', () => {
    const reads = plan([8, 8192], { lower: [0, 0], upper: [8, 4096] });
    expect(reads).toHaveLength(8);
    expect(reads.every(({ kind, length }) => kind === 'direct' && length === 32_768)).toBe(true);
  });

  test('reads over short gaps and skips long ones', () => {
    const component = plan([512, 512, 3], { lower: [0, 0, 1], upper: [512, 512, 2] });
    expect(component).toHaveLength(7);
    const corner = plan([256, 256, 256], { lower: [8, 8, 8], upper: [24, 24, 24] });
    expect(corner).toHaveLength(16);
    expect(corner.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(16 * 33_000);
    const column = plan([100, 8192], { lower: [0, 5], upper: [100, 6] });
    expect(column).toHaveLength(100);
    expect(column.every(({ kind, length }) => kind === 'direct' && length === 8)).toBe(true);
  });

  test('reads nothing outside the span of the box', () => {
    fc.assert(
      fc.property(cases, tunings, ({ source, box }, tuning) => {
        const reads = [...planBoxRead(source, box, 1, tuning)];
        const expected = extractBox(bytesOf(source, 1), source, box, 1);
        const { spanOffset, spanBytes } = runShape(source, box, 1);
        expect(Math.min(...reads.map(({ offset }) => offset))).toBe(spanOffset);
        expect(Math.max(...reads.map(({ offset, length }) => offset + length))).toBe(spanOffset + spanBytes);
        for (const read of reads) {
          if (read.kind === 'slab') expect(read.slabBytes).toBeLessThanOrEqual(tuning.scratchBytes);
        }
        const covered = reads.reduce((sum, read) => sum + (read.kind === 'slab' ? read.partBytes : read.length), 0);
        expect(covered).toBe(expected.length);
      }),
    );
  });
});
