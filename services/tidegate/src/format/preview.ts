import { type DType, typedView } from '@tidegate/array';
import { isComplex } from './array-summary.js';
import { formatNumber } from './number.js';

/** Cells shown at each end of a dimension, in the way of NumPy. */
const EDGE = 3;
const ELLIPSIS = '…';

/**
 * The corner cells of an array as aligned lines: of the last two dimensions up to three rows and columns at each end, of
 * the dimensions before them the first index.
 *
 * @param bytes packed row-major cells of `shape`
 */
export function previewLines(bytes: Uint8Array, dtype: DType, shape: readonly number[]): readonly string[] {
  const view = typedView(bytes, dtype);
  const columns = shape.at(-1) ?? 1;
  const rows = shape.length > 1 ? (shape.at(-2) ?? 1) : 1;
  const cell = (at: number): string => {
    if (!isComplex(dtype)) return formatNumber(view[at] ?? 0);
    const imaginary = Number(view[2 * at + 1]);
    return `${formatNumber(Number(view[2 * at]))}${imaginary < 0 ? '' : '+'}${formatNumber(imaginary)}i`;
  };
  const grid = ends(rows).map((row) =>
    row === undefined
      ? [ELLIPSIS]
      : ends(columns).map((column) => (column === undefined ? ELLIPSIS : cell(row * columns + column))),
  );
  const width = Math.max(...grid.flat().map((text) => text.length));
  const lines = grid.map(
    (texts) => `[${texts.map((text) => (text === ELLIPSIS ? text : text.padStart(width))).join('  ')}]`,
  );
  return shape.length > 2
    ? [
        `[${shape
          .slice(0, -2)
          .map(() => '0')
          .join(', ')}, :, :]`,
        ...lines,
      ]
    : lines;
}

/** Indices shown of a dimension, undefined for the gap between its ends. */
function ends(size: number): readonly (number | undefined)[] {
  if (size <= 2 * EDGE) return Array.from({ length: size }, (_, at) => at);
  const first = Array.from({ length: EDGE }, (_, at) => at);
  return [...first, undefined, ...first.map((at) => size - EDGE + at)];
}
