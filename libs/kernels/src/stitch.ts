import { type Box, shapeOf } from '@tidegate/geometry';
import { previousRows, rowShape } from './labeller.js';
import type { Surface } from './surface.js';
import { UnionFind } from './union-find.js';

/** One piece of a box and the surface of its components. */
export interface SurfacePiece {
  readonly box: Box;
  readonly surface: Surface;
}

/** Rows of a box up to which a table by row is kept; 16 MiB. */
const TABLE_ROWS = 1 << 22;

/**
 * The number of connected components of a box that is tiled by pieces, whatever their sizes. Cells of different pieces
 * that are neighbours are both on their piece's surface, so joining runs there is exact.
 */
export function stitchComponents(box: Box, pieces: readonly SurfacePiece[], neighbours: number): number {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only.surface.components;
  const parts = new RowParts(box, pieces);
  const [planes, rows] = rowShape(shapeOf(box));
  const offsets = [{ planes: 0, rows: 0, reach: 1 }, ...previousRows(neighbours)];
  for (let part = 0; part < parts.length; part++) {
    const key = parts.rowOf(part);
    const plane = Math.floor(key / rows);
    const row = key - plane * rows;
    for (const offset of offsets) {
      const otherRow = row + offset.rows;
      const otherPlane = plane + offset.planes;
      if (otherRow < 0 || otherRow >= rows || otherPlane < 0 || otherPlane >= planes) continue;
      parts.joinRow(part, otherPlane * rows + otherRow, offset.reach);
    }
  }
  return parts.components;
}

/** The runs of all pieces by the rows of the box: a part is what one piece has in one row. */
class RowParts {
  readonly #pieces: readonly SurfacePiece[];
  readonly #sets: UnionFind;
  #components = 0;
  #labels = 0;
  /** Of each piece: its first label among all, and where its cells begin in a row of the box. */
  readonly #bases: number[] = [];
  readonly #offsets: number[] = [];
  /** Of each part: its row, its piece, its runs, and the next part of the same row or -1. */
  readonly #rows: number[] = [];
  readonly #owners: number[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #next: number[] = [];
  /** The last part of each row; a map where there are too many rows for a table. */
  readonly #table: Int32Array | undefined;
  readonly #map = new Map<number, number>();

  constructor(box: Box, pieces: readonly SurfacePiece[]) {
    this.#pieces = pieces;
    const [planes, rowCount] = rowShape(shapeOf(box));
    if (planes * rowCount <= TABLE_ROWS) this.#table = new Int32Array(planes * rowCount).fill(-1);
    for (const [piece, { box: own, surface }] of pieces.entries()) {
      this.#bases.push(this.#labels);
      this.#labels += surface.labels;
      this.#components += surface.components;
      const [, ownRows] = rowShape(shapeOf(own));
      const [firstPlane, firstRow, offset] = placeIn(box, own);
      this.#offsets.push(offset);
      const { rows } = surface;
      for (let from = 0; from < rows.length; ) {
        const row = rows[from] as number;
        let to = from + 1;
        while (to < rows.length && rows[to] === row) to++;
        const plane = Math.floor(row / ownRows);
        this.#push((firstPlane + plane) * rowCount + firstRow + row - plane * ownRows, piece, from, to);
        from = to;
      }
    }
    this.#sets = new UnionFind(this.#labels);
  }

  #push(row: number, piece: number, from: number, to: number): void {
    const part = this.#rows.push(row) - 1;
    this.#owners.push(piece);
    this.#from.push(from);
    this.#to.push(to);
    this.#next.push(this.#lastOf(row));
    if (this.#table === undefined) this.#map.set(row, part);
    else this.#table[row] = part;
  }

  #lastOf(row: number): number {
    return (this.#table === undefined ? this.#map.get(row) : this.#table[row]) ?? -1;
  }

  get length(): number {
    return this.#rows.length;
  }

  rowOf(part: number): number {
    return this.#rows[part] as number;
  }

  /** Components of the box, as far as they were joined. */
  get components(): number {
    return this.#components - (this.#labels - this.#sets.sets);
  }

  /**
   * Joins a part with those that other pieces have in a row: what overlaps or, with a reach of 1, lies side by side.
   */
  joinRow(part: number, row: number, reach: number): void {
    for (let other = this.#lastOf(row); other >= 0; other = this.#next[other] as number) {
      if (this.#owners[other] !== this.#owners[part]) this.#join(part, other, reach);
    }
  }

  #join(a: number, b: number, reach: number): void {
    const pieceA = this.#owners[a] as number;
    const pieceB = this.#owners[b] as number;
    const one = (this.#pieces[pieceA] as SurfacePiece).surface;
    const two = (this.#pieces[pieceB] as SurfacePiece).surface;
    // Both in cells of the second piece.
    const shift = (this.#offsets[pieceA] as number) - (this.#offsets[pieceB] as number);
    let i = this.#from[a] as number;
    let j = this.#from[b] as number;
    const lastI = this.#to[a] as number;
    const lastJ = this.#to[b] as number;
    while (i < lastI && j < lastJ) {
      const endA = (one.ends[i] as number) + shift;
      const endB = two.ends[j] as number;
      if ((one.starts[i] as number) + shift < endB + reach && (two.starts[j] as number) < endA + reach) {
        const labelA = (this.#bases[pieceA] as number) + (one.runLabels[i] as number);
        this.#sets.union(labelA, (this.#bases[pieceB] as number) + (two.runLabels[j] as number));
      }
      if (endA < endB) i++;
      else j++;
    }
  }
}

/** First plane, row and cell of a piece in its box. */
function placeIn(box: Box, piece: Box): readonly [number, number, number] {
  const at = piece.lower.map((lower, d) => lower - (box.lower[d] ?? 0));
  return [at.at(-3) ?? 0, at.at(-2) ?? 0, at.at(-1) ?? 0];
}
