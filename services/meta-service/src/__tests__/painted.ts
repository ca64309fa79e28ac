import { type Box, createShardMap, makeBox, parseBox, type ShardMap } from '@tidegate/geometry';
import type { IndexEntry, PlanReply } from '@tidegate/protocol';
import type { SeededRandom } from '@tidegate/testing';
import { type Held, heldEntry } from '../step-index.js';

/** A ULID with a number in it. */
export function ulid(n: number): string {
  return `01J${String(n).padStart(23, '0')}`;
}

/** An index entry; what is not given does not matter to the test. */
export function entryOf(n: number, box: Box, over: Partial<Record<keyof IndexEntry, unknown>> = {}): IndexEntry {
  return {
    id: ulid(n),
    run: 'r',
    variable: 'v',
    step: 0,
    epoch: 0,
    box,
    bytes: 8,
    stamp: n,
    raw: 'raw-a',
    tier: 'memory',
    ...over,
  } as IndexEntry;
}

/** The same as an index keeps it, told to all shards that it touches. */
export function heldOf(map: ShardMap, entry: IndexEntry, shards = map.shardsOf(entry.box)): Held {
  return heldEntry(entry, map.shardsOf(entry.box)[0] ?? 0, shards, 'i1');
}

/** A random box inside a shape. */
export function randomBox(random: SeededRandom, shape: readonly number[]): Box {
  const lower: number[] = [];
  const upper: number[] = [];
  for (const size of shape) {
    const from = random.int(0, size);
    lower.push(from);
    upper.push(from + 1 + random.int(0, size - from));
  }
  return makeBox(lower, upper);
}

/** Calls back with the row-major number of each cell of a box in a shape. */
export function eachCell(box: Box, shape: readonly number[], visit: (cell: number) => void): void {
  const walk = (d: number, base: number): void => {
    if (d === shape.length) {
      visit(base);
      return;
    }
    for (let x = box.lower[d] ?? 0; x < (box.upper[d] ?? 0); x++) walk(d + 1, base * (shape[d] ?? 1) + x);
  };
  walk(0, 0);
}

/** For each cell of a shape the id of the newest partition there: what any index has to agree with. */
export function paint(
  shape: readonly number[],
  partitions: Iterable<Pick<Held, 'id' | 'box' | 'stamp'>>,
): (string | undefined)[] {
  const cells = new Array<string | undefined>(shape.reduce((a, b) => a * b, 1)).fill(undefined);
  const oldestFirst = [...partitions].sort((a, b) => a.stamp - b.stamp || (a.id < b.id ? -1 : 1));
  for (const { id, box } of oldestFirst) eachCell(box, shape, (cell) => (cells[cell] = id));
  return cells;
}

/**
 * The cells of `boxes` for which the plans, taken together, do not tell exactly what was painted, each once; and those
 * that they tell beside them.
 */
export function untrueCells(
  plans: readonly Pick<PlanReply, 'pieces' | 'missing'>[],
  boxes: readonly Box[],
  shape: readonly number[],
  cells: readonly (string | undefined)[],
): string[] {
  const told = new Map<number, string | undefined>();
  const untrue: string[] = [];
  const tell = (text: string, id: string | undefined) =>
    eachCell(parseBox(text), shape, (cell) => {
      if (told.has(cell)) untrue.push(`cell ${cell} is told twice`);
      told.set(cell, id);
    });
  for (const plan of plans) {
    for (const piece of plan.pieces) tell(piece.box, piece.id);
    for (const box of plan.missing) tell(box, undefined);
  }
  for (const box of boxes) {
    eachCell(box, shape, (cell) => {
      if (!told.has(cell)) untrue.push(`cell ${cell} is not told`);
      else if (told.get(cell) !== cells[cell]) untrue.push(`cell ${cell}: ${told.get(cell)}, painted ${cells[cell]}`);
      told.delete(cell);
    });
  }
  for (const cell of told.keys()) untrue.push(`cell ${cell} is outside`);
  return untrue;
}

export const SHAPES: readonly (readonly number[])[] = [[23], [9, 11], [5, 4, 6]];

export function mapOf(shape: readonly number[], shards: number): ShardMap {
  return createShardMap({ shape, shards });
}
