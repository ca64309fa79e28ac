import { type DType, itemSize } from '@tidegate/array';
import { type Box, volume } from '@tidegate/geometry';
import { BadRequestError, type TransformDefinition } from '@tidegate/protocol';
import { BoxReader } from './box-reader.js';
import { cellRange } from './cell-range.js';
import { type CheckTools, normalizeBools } from './check-task.js';
import { checkPieceData, type PieceData } from './piece-data.js';
import { transformedBox, transformedShape } from './transform.js';

/** A transform of one piece. */
export interface TransformTask {
  readonly transform: TransformDefinition;
  readonly dtype: DType;
  readonly piece: Box;
  readonly data: PieceData;
  /** Modules of users by digest. */
  readonly kernels?: ReadonlyMap<string, Uint8Array>;
}

/** Cells of the transformed domain, row-major over `box`. */
export interface TransformedPiece {
  readonly box: Box;
  readonly dtype: DType;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Runs a transform that is built in; undefined where nothing of the piece is left.
 * @throws BadRequestError, SizeMismatchError, UnavailableError (the data cannot be read)
 */
export function runTransform(task: Omit<TransformTask, 'kernels'>, tools: CheckTools): TransformedPiece | undefined {
  const { transform, piece } = task;
  checkPieceData(task.data, piece, task.dtype);
  const box = transformedBox(transform, piece);
  if (box === undefined) return undefined;
  const { dtype } = transformedShape(transform, task.dtype, []);
  const bytes = new Uint8Array(volume(box) * itemSize(dtype));
  if (transform.downsample !== undefined) downsample(task, { tools, factor: transform.downsample, box, target: bytes });
  else if (transform.slice !== undefined) slice(task, { tools, ...transform.slice, target: bytes });
  else if (transform.threshold !== undefined) threshold(task, { tools, bounds: transform.threshold, target: bytes });
  else throw new BadRequestError('transform', 'expected a transform that is built in');
  return { box, dtype, bytes };
}

/** Reads the rows that are kept, each of them whole, and takes every n-th cell. */
function downsample(
  { dtype, piece, data }: TransformTask,
  { tools, factor, box, target }: { tools: CheckTools; factor: number; box: Box; target: Uint8Array },
): void {
  const cellBytes = itemSize(dtype);
  const last = piece.lower.length - 1;
  const firstCell = (box.lower[last] ?? 0) * factor;
  const row = new Uint8Array(((piece.upper[last] ?? 0) - firstCell) * cellBytes);
  const source = tools.files.source(data);
  const index = box.lower.slice();
  for (let at = 0; at < target.length; ) {
    let offset = 0;
    for (let d = 0; d <= last; d++) {
      const extent = (data.box.upper[d] ?? 0) - (data.box.lower[d] ?? 0);
      offset = offset * extent + (index[d] ?? 0) * factor - (data.box.lower[d] ?? 0);
    }
    source(offset * cellBytes, row);
    for (let from = 0; from < row.length; from += factor * cellBytes) {
      for (let byte = 0; byte < cellBytes; byte++) target[at++] = row[from + byte] as number;
    }
    for (let d = last - 1; d >= 0; d--) {
      const next = (index[d] ?? 0) + 1;
      index[d] = next < (box.upper[d] ?? 0) ? next : (box.lower[d] ?? 0);
      if (next < (box.upper[d] ?? 0)) break;
    }
  }
}

function slice(
  { dtype, piece, data }: TransformTask,
  { tools, axis, index, target }: { tools: CheckTools; axis: number; index: number; target: Uint8Array },
): void {
  const box = { lower: piece.lower.with(axis, index), upper: piece.upper.with(axis, index + 1) };
  const source = tools.files.source(data);
  new BoxReader({ source, outer: data.box, box, itemSize: itemSize(dtype) }).fill(target);
}

function threshold(
  { dtype, piece, data }: TransformTask,
  {
    tools,
    bounds,
    target,
  }: { tools: CheckTools; bounds: NonNullable<TransformDefinition['threshold']>; target: Uint8Array },
): void {
  const range = cellRange(dtype, bounds);
  if (range === undefined) return;
  const session = tools.kernels.session(dtype, 0);
  const cellBytes = itemSize(dtype);
  const reader = new BoxReader({ source: tools.files.source(data), outer: data.box, box: piece, itemSize: cellBytes });
  let at = 0;
  for (let bytes = reader.fill(session.cells); bytes > 0; bytes = reader.fill(session.cells)) {
    if (dtype === 'bool') normalizeBools(session.cells, bytes);
    const cells = bytes / cellBytes;
    target.set(session.maskRange(cells, range), at);
    at += cells;
  }
}
