import { type Box, equals, intersects, volume } from './box.js';
import { InvalidBoxError } from './geometry-error.js';
import { type Axes, type Entry, TreeRow } from './tree-row.js';

interface Held<T> extends Entry {
  item: T;
}

/** Up to this many items a scan is quicker than a tree. */
const FLAT_LIMIT = 32;
/** The trees are built anew, with axes chosen anew, each time the index has grown by this factor. */
const GROWTH = 8;
/** More slabs than this also have the trees built anew; new trees have a quarter of them at most. */
const MAX_SLABS = 256;
/** Length of a slab in mean extents of an item: longer ones hold more strangers, shorter ones need more searches. */
const SLAB_EXTENTS = 4;

/**
 * Items with boxes of one rank, found by box. Small sets are scanned; larger ones are kept in R*-trees over the axes
 * on which the items are thinnest compared with the space that they occupy, and filtered exactly on the others.
 */
export class BoxIndex<T extends { readonly id: string; readonly box: Box }> {
  readonly #entries = new Map<string, Held<T>>();
  /** All entries while there are no trees. */
  #flat: Held<T>[] = [];
  #trees: TreeRow<Held<T>> | undefined;
  #rebuildAbove = FLAT_LIMIT;
  #rank = 0;
  #disjoint = true;
  #volume = 0;
  // For the choice of axes: bounds of all items since the index was empty, and the sum of the present items' extents.
  #hullLower: number[] = [];
  #hullUpper: number[] = [];
  #extents: number[] = [];

  /** Number of items. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * True while the items are known to be pairwise disjoint, so that `tile` may be promised so. Once false it stays so
   * until at most one item is left, even if the overlapping items are removed earlier.
   */
  get disjoint(): boolean {
    return this.#disjoint;
  }

  /** Sum of the items' volumes in cells; cells where items overlap count once for each of them. */
  get volume(): number {
    return this.#volume;
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.item;
  }

  /** The items in the order of their insertion. */
  *values(): IterableIterator<T> {
    for (const entry of this.#entries.values()) yield entry.item;
  }

  /**
   * Adds an item. One with the same id is replaced.
   * @throws InvalidBoxError if its box has another rank than the items that are present.
   */
  insert(item: T): void {
    const { box } = item;
    const standing = this.#entries.get(item.id);
    if (standing !== undefined && equals(standing.box, box)) {
      standing.item = item;
      return;
    }
    if (this.size > 0 && box.lower.length !== this.#rank) {
      throw new InvalidBoxError('box', `${this.#rank} dimensions`, String(box.lower.length));
    }
    if (standing !== undefined) this.remove(item.id);
    if (this.size === 0) this.#reset(box);
    if (this.#disjoint && this.#find(box).length > 0) this.#disjoint = false;

    const entry: Held<T> = { item, box, minX: 0, minY: 0, maxX: 0, maxY: 0 };
    this.#entries.set(item.id, entry);
    this.#volume += volume(box);
    for (let d = 0; d < this.#rank; d++) {
      const lower = box.lower[d] as number;
      const upper = box.upper[d] as number;
      if (lower < (this.#hullLower[d] as number)) this.#hullLower[d] = lower;
      if (upper > (this.#hullUpper[d] as number)) this.#hullUpper[d] = upper;
      this.#extents[d] = (this.#extents[d] as number) + (upper - lower);
    }
    if (this.#trees === undefined) this.#flat.push(entry);
    else this.#trees.insert(entry);
    if (this.size > this.#rebuildAbove || (this.#trees !== undefined && this.#trees.slabs > MAX_SLABS)) this.#rebuild();
  }

  /** Takes an item out and returns it; undefined if there is none with this id. */
  remove(id: string): T | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    const { box } = entry;
    this.#volume -= volume(box);
    for (let d = 0; d < this.#rank; d++) {
      this.#extents[d] = (this.#extents[d] as number) - ((box.upper[d] as number) - (box.lower[d] as number));
    }
    if (this.#trees === undefined) {
      this.#flat.splice(this.#flat.indexOf(entry), 1);
    } else {
      this.#trees.remove(entry);
      // Half the limit, so that a set that hovers around it is not rebuilt all the time.
      if (this.size < FLAT_LIMIT / 2) this.#flatten();
    }
    if (this.size <= 1) this.#disjoint = true;
    // Sums beyond 2^53 are rounded; an empty index starts afresh.
    if (this.size === 0) this.#volume = 0;
    return entry.item;
  }

  /** All items whose boxes share a cell with `box`, in no particular order. */
  search(box: Box): T[] {
    const found: T[] = [];
    for (const entry of this.#find(box)) found.push(entry.item);
    return found;
  }

  #find(box: Box): Held<T>[] {
    if (box.lower.length !== this.#rank) return [];
    if (this.#trees !== undefined) return this.#trees.search(box);
    const found: Held<T>[] = [];
    for (let i = 0; i < this.#flat.length; i++) {
      const entry = this.#flat[i] as Held<T>;
      if (intersects(entry.box, box)) found.push(entry);
    }
    return found;
  }

  #reset(box: Box): void {
    this.#rank = box.lower.length;
    this.#hullLower = box.lower.slice();
    this.#hullUpper = box.upper.slice();
    this.#extents = box.lower.map(() => 0);
  }

  #flatten(): void {
    this.#trees = undefined;
    this.#flat = [...this.#entries.values()];
    this.#rebuildAbove = FLAT_LIMIT;
  }

  #rebuild(): void {
    this.#rebuildAbove = this.size * GROWTH;
    this.#trees = new TreeRow(this.#chooseAxes(), this.#entries.values());
    this.#flat = [];
  }

  /** The axes by mean extent of the items as a share of their hull: the thinner, the better an axis tells them apart. */
  #chooseAxes(): Axes {
    const axes = this.#extents.map((_, d) => d);
    const share = (d: number) => (this.#extents[d] as number) / this.#hull(d);
    axes.sort((a, b) => share(a) - share(b) || a - b);
    const x = axes[0] as number;
    const along = axes[2];
    const slab =
      along === undefined
        ? 1
        : Math.ceil(
            Math.max(
              (SLAB_EXTENTS * (this.#extents[along] as number)) / this.size,
              (this.#hull(along) * 4) / MAX_SLABS,
            ),
          );
    return { x, y: axes[1] ?? x, along, slab };
  }

  #hull(dimension: number): number {
    return (this.#hullUpper[dimension] as number) - (this.#hullLower[dimension] as number);
  }
}
