import { type Box, formatBox, volume } from '@tidegate/geometry';
import { ArrayShapeError } from './array-error.js';

/**
 * How the cells of a box lie in two packed row-major arrays: runs of bytes that are contiguous in both, addressed by
 * nested loops, one fewer than dimensions at most. Loops are listed from the innermost outwards.
 */
export interface RunPlan {
  /** Number of runs; 0 for an empty box. */
  readonly runs: number;
  /** Bytes of one run. */
  readonly runBytes: number;
  /** Byte offset of the first run in either array. */
  readonly sourceOffset: number;
  readonly targetOffset: number;
  /** Per loop: iterations, and the bytes that one iteration advances in either array. */
  readonly counts: readonly number[];
  readonly sourceSteps: readonly number[];
  readonly targetSteps: readonly number[];
}

/** Where the cells of a sub-box lie in the array that holds it. */
export interface RunShape {
  /** Number of contiguous runs, and the bytes of each. */
  readonly runs: number;
  readonly runBytes: number;
  /** The smallest byte range of the array that holds all runs. */
  readonly spanOffset: number;
  readonly spanBytes: number;
}

/** Bytes of the packed array over `box`. */
export function packedBytes(box: Box, itemSize: number): number {
  return volume(box) * itemSize;
}

function assertInside(box: Box, outer: Box, role: 'source' | 'target'): void {
  const rank = box.lower.length;
  let inside = rank >= 1 && box.upper.length === rank && outer.lower.length === rank && outer.upper.length === rank;
  for (let d = 0; inside && d < rank; d++) {
    const lower = box.lower[d] ?? 0;
    const upper = box.upper[d] ?? 0;
    inside = (outer.lower[d] ?? 0) <= lower && lower <= upper && upper <= (outer.upper[d] ?? 0);
  }
  if (!inside) {
    throw new ArrayShapeError(`expected a box inside the ${role} box ${formatBox(outer)}, got ${formatBox(box)}`);
  }
}

/**
 * Plans the copy of the cells of `box` between packed row-major arrays over `sourceBox` and `targetBox`. Dimensions
 * over which both arrays advance evenly are merged, so runs are as long as they can be.
 *
 * @param options.itemSize bytes per cell
 * @throws ArrayShapeError if `box` is not inside both boxes
 */
export function planRuns(options: { sourceBox: Box; targetBox: Box; box: Box; itemSize: number }): RunPlan {
  const { sourceBox, targetBox, box, itemSize } = options;
  if (!Number.isSafeInteger(itemSize) || itemSize < 1) {
    throw new ArrayShapeError(`expected an item size of at least 1 byte, got ${itemSize}`);
  }
  assertInside(box, sourceBox, 'source');
  assertInside(box, targetBox, 'target');

  const counts: number[] = [];
  const sourceSteps: number[] = [];
  const targetSteps: number[] = [];
  let runs = 1;
  let sourceOffset = 0;
  let targetOffset = 0;
  let sourceStride = itemSize;
  let targetStride = itemSize;
  // The group of dimensions that is still growing; the first one, of single bytes, becomes the run.
  let count = itemSize;
  let sourceStep = 1;
  let targetStep = 1;
  let runBytes = 0;

  for (let d = box.lower.length - 1; d >= 0; d--) {
    const lower = box.lower[d] ?? 0;
    const extent = (box.upper[d] ?? 0) - lower;
    const sourceLower = sourceBox.lower[d] ?? 0;
    const targetLower = targetBox.lower[d] ?? 0;
    sourceOffset += (lower - sourceLower) * sourceStride;
    targetOffset += (lower - targetLower) * targetStride;
    if (extent === 0) return emptyPlan();
    if (extent > 1) {
      if (count * sourceStep === sourceStride && count * targetStep === targetStride) {
        count *= extent;
      } else {
        if (runBytes === 0) {
          runBytes = count;
        } else {
          counts.push(count);
          sourceSteps.push(sourceStep);
          targetSteps.push(targetStep);
        }
        count = extent;
        sourceStep = sourceStride;
        targetStep = targetStride;
      }
    }
    sourceStride *= (sourceBox.upper[d] ?? 0) - sourceLower;
    targetStride *= (targetBox.upper[d] ?? 0) - targetLower;
  }
  if (runBytes === 0) {
    runBytes = count;
  } else {
    counts.push(count);
    sourceSteps.push(sourceStep);
    targetSteps.push(targetStep);
  }
  for (const n of counts) runs *= n;
  return { runs, runBytes, sourceOffset, targetOffset, counts, sourceSteps, targetSteps };
}

function emptyPlan(): RunPlan {
  return { runs: 0, runBytes: 0, sourceOffset: 0, targetOffset: 0, counts: [], sourceSteps: [], targetSteps: [] };
}

/**
 * Walks the contiguous runs of `box` in a packed row-major array over `sourceBox`, in row-major order, for positioned
 * reads. `targetOffset` is the run's place in the packed array over `box`; all offsets and lengths are bytes.
 *
 * @throws ArrayShapeError if `box` is not inside `sourceBox`
 */
export function forEachRun(
  sourceBox: Box,
  box: Box,
  itemSize: number,
  visit: (sourceOffset: number, length: number, targetOffset: number) => void,
): void {
  const plan = planRuns({ sourceBox, targetBox: box, box, itemSize });
  const { runs, runBytes, counts, sourceSteps } = plan;
  const index = new Array<number>(counts.length).fill(0);
  let sourceOffset = plan.sourceOffset;
  for (let run = 0; run < runs; run++) {
    visit(sourceOffset, runBytes, run * runBytes);
    for (let loop = 0; loop < counts.length; loop++) {
      const next = (index[loop] ?? 0) + 1;
      const count = counts[loop] ?? 1;
      const step = sourceSteps[loop] ?? 0;
      sourceOffset += step;
      if (next < count) {
        index[loop] = next;
        break;
      }
      index[loop] = 0;
      sourceOffset -= step * count;
    }
  }
}

/**
 * How many runs a read of `box` from a packed row-major array over `sourceBox` takes, how long they are, and the
 * range that spans them: what a storage layer needs to choose between positioned reads and one read of the span.
 * All zero for an empty box.
 *
 * @throws ArrayShapeError if `box` is not inside `sourceBox`
 */
export function runShape(sourceBox: Box, box: Box, itemSize: number): RunShape {
  const plan = planRuns({ sourceBox, targetBox: box, box, itemSize });
  let spanBytes = plan.runBytes;
  for (let loop = 0; loop < plan.counts.length; loop++) {
    spanBytes += ((plan.counts[loop] ?? 1) - 1) * (plan.sourceSteps[loop] ?? 0);
  }
  return { runs: plan.runs, runBytes: plan.runBytes, spanOffset: plan.sourceOffset, spanBytes };
}
