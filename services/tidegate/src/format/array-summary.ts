import { type DType, typedView } from '@tidegate/array';

/** What a look at an array tells without showing all of it. */
export interface ArraySummary {
  readonly cells: number;
  /** Of the cells that are numbers; null where there are none, or for complex cells. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Cells that are NaN; a complex cell counts where either part is. */
  readonly nan: number;
}

const COMPLEX: ReadonlySet<DType> = new Set(['complex64', 'complex128']);

/** Whether cells of this type are pairs of floats. */
export function isComplex(dtype: DType): boolean {
  return COMPLEX.has(dtype);
}

/**
 * One pass over packed cells. 64-bit integers are converted to float64, so beyond 2^53 the figures are rounded; the mean
 * is summed by Neumaier's method (1974), so that it does not drift over many cells.
 *
 * @throws ArrayShapeError where `bytes` is no whole number of cells
 */
export function summarize(bytes: Uint8Array, dtype: DType): ArraySummary {
  const view = typedView(bytes, dtype);
  if (isComplex(dtype)) return summarizeComplex(view as Float32Array | Float64Array);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let lost = 0;
  let nan = 0;
  for (let at = 0; at < view.length; at++) {
    const value = Number(view[at]);
    if (Number.isNaN(value)) {
      nan++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  const numbers = view.length - nan;
  if (numbers === 0) return { cells: view.length, min: null, max: null, mean: null, nan };
  // An infinite sum makes the correction NaN.
  return { cells: view.length, min, max, mean: (Number.isFinite(sum) ? sum + lost : sum) / numbers, nan };
}

function summarizeComplex(parts: Float32Array | Float64Array): ArraySummary {
  let nan = 0;
  for (let at = 0; at < parts.length; at += 2) {
    if (Number.isNaN(parts[at]) || Number.isNaN(parts[at + 1])) nan++;
  }
  return { cells: parts.length / 2, min: null, max: null, mean: null, nan };
}
