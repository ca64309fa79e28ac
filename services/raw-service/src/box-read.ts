import { copyBox, forEachRun, runShape } from '@tidegate/array';
import type { Box } from '@tidegate/geometry';

/** One positioned read of a packed array; offsets and lengths are bytes. */
export type BoxRead =
  /** Straight into the target. */
  | { readonly kind: 'direct'; readonly offset: number; readonly length: number; readonly targetOffset: number }
  /**
   * Into scratch space, at `scratchOffset`; the scratch then stands for the packed array over `slab`, from which the
   * cells of `part` go to the target.
   */
  | {
      readonly kind: 'slab';
      readonly offset: number;
      readonly length: number;
      readonly scratchOffset: number;
      readonly slab: Box;
      readonly slabBytes: number;
      readonly part: Box;
      readonly partBytes: number;
      readonly targetOffset: number;
    };

/** How a storage medium likes to be read, in bytes. */
export interface ReadTuning {
  /** Runs of at least this length are read one by one, without a copy. */
  readonly longRun: number;
  /** Gaps of at most this length between shorter runs are read over rather than skipped. */
  readonly maxGap: number;
  /** Size of the scratch space: no slab is larger. */
  readonly scratchBytes: number;
}

/**
 * Plans the reads that fetch the cells of `box` from a packed row-major array over `sourceBox`: one read where the box
 * is contiguous, its runs where these are long, else slabs along the slowest dimension over whose gaps it pays to read.
 *
 * @throws ArrayShapeError if `box` is not inside `sourceBox`
 */
export function* planBoxRead(sourceBox: Box, box: Box, itemSize: number, tuning: ReadTuning): Generator<BoxRead> {
  const { runs, runBytes } = runShape(sourceBox, box, itemSize);
  if (runs === 0) return;
  if (runs > 1 && runBytes < tuning.longRun) {
    yield* planSlabs(sourceBox, box, itemSize, tuning);
    return;
  }
  const direct: BoxRead[] = [];
  forEachRun(sourceBox, box, itemSize, (offset, length, targetOffset) => {
    direct.push({ kind: 'direct', offset, length, targetOffset });
  });
  yield* direct;
}

/** Copies the cells of a slab that was read into `scratch` to the array over the whole box. */
export function copySlab(read: BoxRead & { kind: 'slab' }, scratch: Uint8Array, target: Uint8Array, itemSize: number) {
  const { slab, slabBytes, part, partBytes, targetOffset } = read;
  copyBox({
    source: scratch.subarray(0, slabBytes),
    sourceBox: slab,
    target: target.subarray(targetOffset, targetOffset + partBytes),
    targetBox: part,
    box: part,
    itemSize,
  });
}

function* planSlabs(sourceBox: Box, box: Box, itemSize: number, tuning: ReadTuning): Generator<BoxRead> {
  const rank = box.lower.length;
  const lower = (d: number) => box.lower[d] ?? 0;
  const upper = (d: number) => box.upper[d] ?? 0;
  const sourceLower = (d: number) => sourceBox.lower[d] ?? 0;
  const { strides, spans, level } = slabLevel(sourceBox, box, itemSize, tuning);
  const stride = strides[level] ?? itemSize;
  const rowSpan = spans[level + 1] ?? itemSize;
  const rows = Math.max(1, Math.floor(tuning.scratchBytes / stride));

  // Where a row's cells start inside it, and how many bytes of the target a row is.
  let scratchOffset = 0;
  let rowBytes = itemSize;
  for (let d = level + 1; d < rank; d++) {
    scratchOffset += (lower(d) - sourceLower(d)) * (strides[d] ?? 0);
    rowBytes *= upper(d) - lower(d);
  }
  const index = box.lower.slice(0, level);
  let targetOffset = 0;
  for (;;) {
    let base = 0;
    for (let d = 0; d < level; d++) base += ((index[d] ?? 0) - sourceLower(d)) * (strides[d] ?? 0);
    for (let from = lower(level); from < upper(level); from += rows) {
      const to = Math.min(upper(level), from + rows);
      const offset = base + (from - sourceLower(level)) * stride + scratchOffset;
      const length = (to - from - 1) * stride + rowSpan;
      const partBytes = (to - from) * rowBytes;
      if (length === partBytes) {
        yield { kind: 'direct', offset, length, targetOffset };
      } else {
        const head = index.map((at) => at + 1);
        const slab = {
          lower: [...index, from, ...sourceBox.lower.slice(level + 1)],
          upper: [...head, to, ...sourceBox.upper.slice(level + 1)],
        };
        const part = {
          lower: [...index, from, ...box.lower.slice(level + 1)],
          upper: [...head, to, ...box.upper.slice(level + 1)],
        };
        const slabBytes = (to - from) * stride;
        yield { kind: 'slab', offset, length, scratchOffset, slab, slabBytes, part, partBytes, targetOffset };
      }
      targetOffset += partBytes;
    }
    let d = level - 1;
    for (; d >= 0; d--) {
      const next = (index[d] ?? 0) + 1;
      index[d] = next < upper(d) ? next : lower(d);
      if (next < upper(d)) break;
    }
    if (d < 0) return;
  }
}

/** The slowest dimension whose rows fit the scratch space, with no gap in it or below it that is worth skipping. */
function slabLevel(sourceBox: Box, box: Box, itemSize: number, { maxGap, scratchBytes }: ReadTuning) {
  const rank = box.lower.length;
  const strides = new Array<number>(rank).fill(itemSize);
  /** Bytes from the first to the last cell of the box over the dimensions from this one on. */
  const spans = new Array<number>(rank + 1).fill(itemSize);
  let level = rank - 1;
  let dense = true;
  for (let d = rank - 1; d >= 0; d--) {
    if (d < rank - 1) {
      strides[d] = (strides[d + 1] ?? 0) * ((sourceBox.upper[d + 1] ?? 0) - (sourceBox.lower[d + 1] ?? 0));
    }
    const stride = strides[d] ?? 0;
    const below = spans[d + 1] ?? 0;
    const extent = (box.upper[d] ?? 0) - (box.lower[d] ?? 0);
    spans[d] = (extent - 1) * stride + below;
    dense &&= stride <= scratchBytes && (extent === 1 || stride - below <= maxGap);
    if (dense) level = d;
  }
  return { strides, spans, level };
}
