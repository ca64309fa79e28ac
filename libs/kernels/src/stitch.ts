import { type Box, shapeOf } from '@tidegate/geometry';
import { previousRows, rowShape } from './labeller.js';
import type { Surface } from './surface.js';
import { UnionFind } from './union-find.js';

/** One piece of a box and the surface of its components. */
export interface SurfacePiece {
  readonly box: Box;
  readonly surface: Surface;
}

/** Runs `from` … `to` - 1 of a piece: those of one row, with the row's place in the box. */
interface RowPart {
  readonly piece: number;
  readonly from: number;
  readonly to: number;
  /** Where the piece's cells begin in the row of the box. */
  readonly offset: number;
}

/** A box's rows and the parts of them that have runs. */
interface Rows {
  readonly rows: number;
  readonly parts: ReadonlyMap<number, readonly RowPart[]>;
}

/**
 * The number of connected components of a box that is tiled by pieces, whatever their sizes. Cells of different pieces
 * that are neighbours are both on their piece's surface, so joining runs there is exact.
 */
export function stitchComponents(box: Box, pieces: readonly SurfacePiece[], neighbours: number): number {
  let labels = 0;
  let components = 0;
  const bases = pieces.map(({ surface }) => {
    const base = labels;
    labels += surface.labels;
    components += surface.components;
    return base;
  });
  const sets = new UnionFind(labels);
  const rows = gatherRows(box, pieces);
  const join = (a: RowPart, b: RowPart, reach: number): void => {
    const one = pieces[a.piece]?.surface;
    const other = pieces[b.piece]?.surface;
    if (one === undefined || other === undefined || a.piece === b.piece) return;
    joinParts({ one, a, baseA: bases[a.piece] ?? 0 }, { one: other, a: b, baseA: bases[b.piece] ?? 0 }, reach, sets);
  };
  const offsets = [{ planes: 0, rows: 0, reach: 1 }, ...previousRows(neighbours)];
  for (const [key, parts] of rows.parts) {
    const plane = Math.floor(key / rows.rows);
    const row = key % rows.rows;
    for (const offset of offsets) {
      const other = row + offset.rows;
      if (other < 0 || other >= rows.rows || plane + offset.planes < 0) continue;
      const others = rows.parts.get((plane + offset.planes) * rows.rows + other);
      if (others === undefined) continue;
      for (const a of parts) for (const b of others) join(a, b, offset.reach);
    }
  }
  return components - (labels - sets.sets);
}

function gatherRows(box: Box, pieces: readonly SurfacePiece[]): Rows {
  const [, rowCount] = rowShape(shapeOf(box));
  const parts = new Map<number, RowPart[]>();
  for (const [piece, { box: own, surface }] of pieces.entries()) {
    const [, ownRows] = rowShape(shapeOf(own));
    const [firstPlane, firstRow, offset] = placeIn(box, own);
    const { rows } = surface;
    for (let from = 0; from < rows.length; ) {
      const row = rows[from] ?? 0;
      let to = from + 1;
      while (to < rows.length && rows[to] === row) to++;
      const key = (firstPlane + Math.floor(row / ownRows)) * rowCount + firstRow + (row % ownRows);
      const list = parts.get(key);
      const part = { piece, from, to, offset };
      if (list === undefined) parts.set(key, [part]);
      else list.push(part);
      from = to;
    }
  }
  return { rows: rowCount, parts };
}

/** First plane, row and cell of a piece in its box. */
function placeIn(box: Box, piece: Box): readonly [number, number, number] {
  const at = piece.lower.map((lower, d) => lower - (box.lower[d] ?? 0));
  return [at.at(-3) ?? 0, at.at(-2) ?? 0, at.at(-1) ?? 0];
}

interface Side {
  readonly one: Surface;
  readonly a: RowPart;
  readonly baseA: number;
}

/** Joins the runs of two parts of rows that overlap or, where `reach` is 1, lie side by side or corner to corner. */
function joinParts(left: Side, right: Side, reach: number, sets: UnionFind): void {
  let i = left.a.from;
  let j = right.a.from;
  while (i < left.a.to && j < right.a.to) {
    const endA = (left.one.ends[i] ?? 0) + left.a.offset;
    const endB = (right.one.ends[j] ?? 0) + right.a.offset;
    const startA = (left.one.starts[i] ?? 0) + left.a.offset;
    const startB = (right.one.starts[j] ?? 0) + right.a.offset;
    if (startA < endB + reach && startB < endA + reach) {
      sets.union(left.baseA + (left.one.runLabels[i] ?? 0), right.baseA + (right.one.runLabels[j] ?? 0));
    }
    if (endA < endB) i++;
    else j++;
  }
}
