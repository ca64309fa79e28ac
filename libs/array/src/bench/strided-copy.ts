import type { Box } from '@tidegate/geometry';
import { packedBytes, runShape } from '../runs.js';
import { copyBox } from '../strided-copy.js';

/** One measured copy: what was moved, and how fast beside a plain `Uint8Array.set` of as many bytes. */
export interface StridedCopyRow {
  readonly name: string;
  readonly bytes: number;
  readonly runs: number;
  readonly runBytes: number;
  /** Payload bytes copied per second, in 1e9. */
  readonly gigabytesPerSecond: number;
  readonly plainSetGigabytesPerSecond: number;
}

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly box: Box;
  readonly itemSize: number;
  /** Distance of the source from the alignment of its words. */
  readonly shift?: number;
}

const CASES: readonly Case[] = [
  {
    name: 'contiguous slab, 2-D float64',
    shape: [2048, 2048],
    box: { lower: [512, 0], upper: [1024, 2048] },
    itemSize: 8,
  },
  {
    name: 'column strip 1 wide, 2-D float64',
    shape: [2048, 2048],
    box: { lower: [0, 7], upper: [2048, 8] },
    itemSize: 8,
  },
  {
    name: 'column strip 4 wide, 2-D float64',
    shape: [2048, 2048],
    box: { lower: [0, 8], upper: [2048, 12] },
    itemSize: 8,
  },
  {
    name: 'column strip 4 wide, 2-D float64, out of line',
    shape: [2048, 2048],
    box: { lower: [0, 8], upper: [2048, 12] },
    itemSize: 8,
    shift: 3,
  },
  {
    name: 'column strip 4 wide, 2-D float32',
    shape: [2048, 2048],
    box: { lower: [0, 8], upper: [2048, 12] },
    itemSize: 4,
  },
  {
    name: 'interior 62^3 of 64^3 float64',
    shape: [64, 64, 64],
    box: { lower: [1, 1, 1], upper: [63, 63, 63] },
    itemSize: 8,
  },
  {
    name: 'interior 16^3 of 64^3 float64',
    shape: [64, 64, 64],
    box: { lower: [8, 8, 8], upper: [24, 24, 24] },
    itemSize: 8,
  },
  {
    name: 'interior 16^3 of 64^3 uint8',
    shape: [64, 64, 64],
    box: { lower: [8, 8, 8], upper: [24, 24, 24] },
    itemSize: 1,
  },
];

/**
 * Measures `copyBox` out of a larger array into a packed one, for the shapes that puts, halos and sliced reads have.
 *
 * @param options.now monotonic clock in milliseconds
 * @param options.milliseconds time spent on each of the two copies of a case
 */
export function benchStridedCopy(options: { now: () => number; milliseconds: number }): StridedCopyRow[] {
  return CASES.map(({ name, shape, box, itemSize, shift = 0 }) => {
    const sourceBox: Box = { lower: shape.map(() => 0), upper: shape };
    const sourceBytes = packedBytes(sourceBox, itemSize);
    const source = new Uint8Array(new ArrayBuffer(sourceBytes + shift), shift).fill(1);
    const bytes = packedBytes(box, itemSize);
    const target = new Uint8Array(bytes);
    const plain = source.slice(0, bytes);
    const rate = (copy: () => void) => bytes / (secondsPerCall(copy, options) * 1e9);
    const { runs, runBytes } = runShape(sourceBox, box, itemSize);
    return {
      name,
      bytes,
      runs,
      runBytes,
      gigabytesPerSecond: rate(() => copyBox({ source, sourceBox, target, targetBox: box, box, itemSize })),
      plainSetGigabytesPerSecond: rate(() => target.set(plain)),
    };
  });
}

function secondsPerCall(call: () => void, { now, milliseconds }: { now: () => number; milliseconds: number }): number {
  const start = now();
  let calls = 0;
  // The first half warms the code up and sizes the batch that is measured.
  while (now() - start < milliseconds / 2) {
    call();
    calls++;
  }
  const measured = now();
  for (let i = 0; i < calls; i++) call();
  return (now() - measured) / 1e3 / calls;
}
