import type { ByteReader, ByteWriter } from './byte-stream.js';

/**
 * What has to be known of a piece's connected components to count those of a whole: how many there are, and which of
 * them touch cells outside. Runs of cells along the last dimension, in row-major order of the piece; rows are numbered
 * from 0 within it. Components without a run reach nowhere.
 */
export interface Surface {
  readonly components: number;
  /** Components that have a run; they are labelled 0 … `labels` - 1. */
  readonly labels: number;
  readonly rows: Float64Array;
  /** First cell of each run, and the one after its last, from the piece's lower corner. */
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly runLabels: Uint32Array;
}

/** Rows and starts go as differences, so that most numbers take one byte. */
export function writeSurface(writer: ByteWriter, surface: Surface): void {
  const { rows, starts, ends, runLabels } = surface;
  writer.varint(surface.components);
  writer.varint(surface.labels);
  writer.varint(rows.length);
  let row = 0;
  let end = 0;
  for (let i = 0; i < rows.length; i++) {
    const next = rows[i] ?? 0;
    if (next !== row) end = 0;
    writer.varint(next - row);
    writer.varint((starts[i] ?? 0) - end);
    writer.varint((ends[i] ?? 0) - (starts[i] ?? 0));
    writer.varint(runLabels[i] ?? 0);
    row = next;
    end = ends[i] ?? 0;
  }
}

/**
 * Reads a surface of a piece of `rowCount` rows of `width` cells.
 * @throws ByteFormatError if it cannot be one
 */
export function readSurface(reader: ByteReader, { rowCount, width }: { rowCount: number; width: number }): Surface {
  const cells = rowCount * width;
  const components = reader.count(cells, 'components');
  const labels = reader.count(components, 'labels');
  const runs = reader.count(cells, 'runs');
  // The count is checked against the bytes by reading, and memory is only taken as they come.
  const rows: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const runLabels: number[] = [];
  let row = 0;
  let end = 0;
  for (let i = 0; i < runs; i++) {
    const rowsOn = reader.count(rowCount - 1 - row, 'rows');
    if (rowsOn > 0) end = 0;
    row += rowsOn;
    const start = end + reader.count(width - end, 'cells before a run');
    end = start + reader.count(width - start, 'cells of a run');
    rows.push(row);
    starts.push(start);
    ends.push(end);
    runLabels.push(reader.count(labels - 1, 'as label'));
  }
  return {
    components,
    labels,
    rows: Float64Array.from(rows),
    starts: Float64Array.from(starts),
    ends: Float64Array.from(ends),
    runLabels: Uint32Array.from(runLabels),
  };
}
