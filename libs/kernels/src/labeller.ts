import { type Box, shapeOf } from '@tidegate/geometry';
import type { Surface } from './surface.js';
import { UnionFind } from './union-find.js';

/**
 * A row that comes earlier in row-major order, and how many cells its runs reach sideways to touch those of the row.
 */
export interface RowOffset {
  readonly planes: number;
  readonly rows: number;
  readonly reach: number;
}

const PREVIOUS_ROWS: Readonly<Record<number, readonly RowOffset[]>> = {
  2: [],
  4: [{ planes: 0, rows: -1, reach: 0 }],
  8: [{ planes: 0, rows: -1, reach: 1 }],
  6: [
    { planes: 0, rows: -1, reach: 0 },
    { planes: -1, rows: 0, reach: 0 },
  ],
  18: [
    { planes: 0, rows: -1, reach: 1 },
    { planes: -1, rows: -1, reach: 0 },
    { planes: -1, rows: 0, reach: 1 },
    { planes: -1, rows: 1, reach: 0 },
  ],
  26: [
    { planes: 0, rows: -1, reach: 1 },
    { planes: -1, rows: -1, reach: 1 },
    { planes: -1, rows: 0, reach: 1 },
    { planes: -1, rows: 1, reach: 1 },
  ],
};

/**
 * The earlier rows that hold neighbours of a row's cells: 2; 4, 8; 6, 18, 26 neighbours in one, two, three dimensions.
 */
export function previousRows(neighbours: number): readonly RowOffset[] {
  return PREVIOUS_ROWS[neighbours] ?? [];
}

/** Extents as planes, rows, cells: the dimensions that are missing are 1. */
export function rowShape(extents: readonly number[]): readonly [planes: number, rows: number, width: number] {
  return [extents.at(-3) ?? 1, extents.at(-2) ?? 1, extents.at(-1) ?? 1];
}

/** Runs of one plane, row after row. */
class PlaneRuns {
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  labels = new Int32Array(64);
  length = 0;
  /** First run of each row, and the end of the last. */
  readonly rows: Int32Array;

  constructor(rows: number) {
    this.rows = new Int32Array(rows + 1);
  }

  push(start: number, end: number): void {
    if (this.length === this.starts.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
      this.labels = doubled(this.labels);
    }
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.labels[this.length] = -1;
    this.length++;
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}

/**
 * Connected components of a piece of 1 to 3 dimensions in one pass over its mask, row by row: runs of cells are joined
 * with those of the rows before by union-find (Rosenfeld and Pfaltz 1966; He, Chao and Suzuki 2008 on runs). Two planes
 * of runs are kept, and four bytes for each provisional label.
 */
export class Labeller {
  readonly #planes: number;
  readonly #rows: number;
  readonly #width: number;
  readonly #offsets: readonly RowOffset[];
  /** Whether cells beyond the first and last plane, row, cell belong to the box as well. */
  readonly #open: readonly (readonly [first: boolean, last: boolean])[];
  readonly #labels = new UnionFind();
  #previous: PlaneRuns;
  #current: PlaneRuns;
  #plane = 0;
  #row = 0;
  #column = 0;
  /** First cell of the run that goes on, or -1. */
  #start = -1;
  /** The next 1 in the mask, where it is known: rows without any are passed over without looking at them again. */
  #next = -1;
  readonly #surface = { rows: [] as number[], starts: [] as number[], ends: [] as number[], labels: [] as number[] };

  /** @param options.box the box that is tiled by pieces: faces of the piece on its border need no stitching */
  constructor({ piece, box, neighbours }: { piece: Box; box: Box; neighbours: number }) {
    [this.#planes, this.#rows, this.#width] = rowShape(shapeOf(piece));
    this.#offsets = previousRows(neighbours);
    const faces = piece.lower.map(
      (lower, d) => [lower > (box.lower[d] ?? 0), (piece.upper[d] ?? 0) < (box.upper[d] ?? 0)] as const,
    );
    const closed = [false, false] as const;
    this.#open = [faces.at(-3) ?? closed, faces.at(-2) ?? closed, faces.at(-1) ?? closed];
    this.#previous = new PlaneRuns(this.#rows);
    this.#current = new PlaneRuns(this.#rows);
  }

  /** Takes the next cells in row-major order: 1 where a cell belongs to a component, else 0. */
  push(mask: Uint8Array): void {
    let at = 0;
    this.#next = -1;
    while (at < mask.length) {
      const end = Math.min(mask.length, at + this.#width - this.#column);
      this.#pushPart(mask, at, end);
      at = end;
      if (this.#column === this.#width) this.#endRow();
    }
  }

  /** Cells of one row. */
  #pushPart(mask: Uint8Array, from: number, to: number): void {
    const shift = this.#column - from;
    let start = this.#start;
    let at = from;
    while (at < to) {
      if (start < 0) {
        if (this.#next < at) {
          const next = mask.indexOf(1, at);
          this.#next = next < 0 ? mask.length : next;
        }
        if (this.#next >= to) break;
        at = this.#next;
        start = at + shift;
      }
      while (at < to && mask[at] === 1) at++;
      if (at < to) {
        this.#current.push(start, at + shift);
        start = -1;
      }
    }
    this.#start = start;
    this.#column = to + shift;
  }

  #endRow(): void {
    if (this.#start >= 0) this.#current.push(this.#start, this.#width);
    this.#start = -1;
    this.#column = 0;
    const current = this.#current;
    current.rows[this.#row + 1] = current.length;
    for (const { planes, rows, reach } of this.#offsets) {
      const row = this.#row + rows;
      if (row < 0 || row >= this.#rows || (planes < 0 && this.#plane === 0)) continue;
      this.#join(planes < 0 ? this.#previous : current, row, reach);
    }
    const first = current.rows[this.#row] as number;
    for (let run = first; run < current.length; run++) {
      if ((current.labels[run] as number) < 0) current.labels[run] = this.#labels.add();
    }
    this.#keepSurface(first);
    this.#row++;
    if (this.#row < this.#rows) return;
    this.#row = 0;
    this.#plane++;
    this.#current = this.#previous;
    this.#previous = current;
    this.#current.length = 0;
  }

  /** Joins the runs of the row with those of an earlier one that they touch. */
  #join(other: PlaneRuns, row: number, reach: number): void {
    const current = this.#current;
    let a = current.rows[this.#row] as number;
    const lastA = current.length;
    let b = other.rows[row] as number;
    const lastB = other.rows[row + 1] as number;
    while (a < lastA && b < lastB) {
      const endA = current.ends[a] as number;
      const endB = other.ends[b] as number;
      if ((current.starts[a] as number) < endB + reach && (other.starts[b] as number) < endA + reach) {
        const label = other.labels[b] as number;
        if ((current.labels[a] as number) < 0) current.labels[a] = this.#labels.find(label);
        else this.#labels.union(current.labels[a] as number, label);
      }
      if (endA < endB) a++;
      else b++;
    }
  }

  #keepSurface(first: number): void {
    const { starts, ends, labels, length } = this.#current;
    const [planes, rows, cells] = this.#open as readonly [
      readonly [boolean, boolean],
      readonly [boolean, boolean],
      readonly [boolean, boolean],
    ];
    const isFace =
      (this.#plane === 0 && planes[0]) ||
      (this.#plane === this.#planes - 1 && planes[1]) ||
      (this.#row === 0 && rows[0]) ||
      (this.#row === this.#rows - 1 && rows[1]);
    const row = this.#plane * this.#rows + this.#row;
    for (let run = first; run < length; run++) {
      const start = starts[run] as number;
      const end = ends[run] as number;
      if (!isFace && !(start === 0 && cells[0]) && !(end === this.#width && cells[1])) continue;
      this.#surface.rows.push(row);
      this.#surface.starts.push(start);
      this.#surface.ends.push(end);
      this.#surface.labels.push(labels[run] as number);
    }
  }

  /** The result, once all cells were taken. */
  finish(): Surface {
    const { rows, starts, ends, labels } = this.#surface;
    const compact = new Map<number, number>();
    const runLabels = new Uint32Array(labels.length);
    for (const [at, label] of labels.entries()) {
      const root = this.#labels.find(label);
      let named = compact.get(root);
      if (named === undefined) {
        named = compact.size;
        compact.set(root, named);
      }
      runLabels[at] = named;
    }
    return {
      components: this.#labels.sets,
      labels: compact.size,
      rows: Float64Array.from(rows),
      starts: Float64Array.from(starts),
      ends: Float64Array.from(ends),
      runLabels,
    };
  }
}
