import RBush from 'rbush';
import { type Box, intersects } from './box.js';

/** What a tree row holds. The four numbers belong to the row that holds the entry. */
export interface Entry {
  readonly box: Box;
  // Projection on the two axes of the trees. The last index inside, not the first outside: their ranges are closed.
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

/** The dimensions that a tree row tells items apart by: two in its trees, and one along the row if there is a third. */
export interface Axes {
  readonly x: number;
  readonly y: number;
  readonly along: number | undefined;
  /** Length along the third axis that shares a tree. */
  readonly slab: number;
}

interface Slab<E> {
  readonly tree: RBush<E>;
  /** Bounds along the third axis of all entries since the slab began. */
  from: number;
  to: number;
}

/**
 * R*-trees over two axes, in a row along a third: an entry is in the tree of the slab where its box begins. A query
 * looks into the trees whose entries reach it. The remaining axes are filtered exactly.
 */
export class TreeRow<E extends Entry> {
  readonly #axes: Axes;
  readonly #slabs = new Map<number, Slab<E>>();

  /** Builds the trees by bulk load. */
  constructor(axes: Axes, entries: Iterable<E>) {
    this.#axes = axes;
    const bySlab = new Map<number, E[]>();
    for (const entry of entries) {
      this.#project(entry);
      const key = this.#keyOf(entry.box);
      const group = bySlab.get(key);
      if (group === undefined) bySlab.set(key, [entry]);
      else group.push(entry);
    }
    for (const [key, group] of bySlab) {
      const slab = this.#begin(key, group[0] as E);
      slab.tree.load(group);
      for (let i = 1; i < group.length; i++) this.#stretch(slab, (group[i] as E).box);
    }
  }

  /** Number of trees; a query looks at each one's bounds. */
  get slabs(): number {
    return this.#slabs.size;
  }

  insert(entry: E): void {
    this.#project(entry);
    const key = this.#keyOf(entry.box);
    const slab = this.#slabs.get(key) ?? this.#begin(key, entry);
    this.#stretch(slab, entry.box);
    slab.tree.insert(entry);
  }

  remove(entry: E): void {
    const key = this.#keyOf(entry.box);
    const slab = this.#slabs.get(key);
    if (slab === undefined) return;
    slab.tree.remove(entry);
    if (slab.tree.toJSON().children.length === 0) this.#slabs.delete(key);
  }

  /** All entries whose boxes share a cell with `box`. */
  search(box: Box): E[] {
    const { x, y, along } = this.#axes;
    const found: E[] = [];
    const range = {
      minX: box.lower[x] as number,
      minY: box.lower[y] as number,
      maxX: (box.upper[x] as number) - 1,
      maxY: (box.upper[y] as number) - 1,
    };
    for (const slab of this.#slabs.values()) {
      if (along !== undefined && slab.from >= (box.upper[along] as number)) continue;
      if (along !== undefined && slab.to <= (box.lower[along] as number)) continue;
      const candidates = slab.tree.search(range);
      for (let i = 0; i < candidates.length; i++) {
        const entry = candidates[i] as E;
        if (intersects(entry.box, box)) found.push(entry);
      }
    }
    return found;
  }

  #project(entry: E): void {
    const { x, y } = this.#axes;
    const { lower, upper } = entry.box;
    entry.minX = lower[x] as number;
    entry.minY = lower[y] as number;
    entry.maxX = (upper[x] as number) - 1;
    entry.maxY = (upper[y] as number) - 1;
  }

  #keyOf(box: Box): number {
    const { along, slab } = this.#axes;
    return along === undefined ? 0 : Math.floor((box.lower[along] as number) / slab);
  }

  #begin(key: number, entry: E): Slab<E> {
    const slab = { tree: new RBush<E>(), from: Number.POSITIVE_INFINITY, to: 0 };
    this.#slabs.set(key, slab);
    this.#stretch(slab, entry.box);
    return slab;
  }

  #stretch(slab: Slab<E>, box: Box): void {
    const { along } = this.#axes;
    if (along === undefined) return;
    slab.from = Math.min(slab.from, box.lower[along] as number);
    slab.to = Math.max(slab.to, box.upper[along] as number);
  }
}
