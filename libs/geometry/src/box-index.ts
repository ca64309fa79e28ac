import RBush from 'rbush';
import { type Box, equals, intersects, volume } from './box.js';
import { InvalidBoxError } from './geometry-error.js';

interface Entry<T> {
  item: T;
  readonly box: Box;
  // Projection on the two indexed axes. The last index inside, not the first outside: the tree's ranges are closed.
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

/** Up to this many items a scan is quicker than a tree. */
const FLAT_LIMIT = 32;
/** The choice of axes is looked at again each time the index has grown by this factor. */
const REVIEW_FACTOR = 8;

/**
 * Items with boxes of one rank, found by box. Small sets are scanned; larger ones are kept in an R*-tree over the two
 * axes on which the items are thinnest compared with the space that they occupy, and filtered exactly on the others.
 */
export class BoxIndex<T extends { readonly id: string; readonly box: Box }> {
  readonly #entries = new Map<string, Entry<T>>();
  #flat: Entry<T>[] = [];
  #tree: RBush<Entry<T>> | undefined;
  #axisX = 0;
  #axisY = 0;
  #reviewAt = FLAT_LIMIT;
  #rank = 0;
  #disjoint = true;
  #volume = 0;
  // For the choice of axes: bounds of all items since the last review, and the sum of the present items' extents.
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

  /** Sum of the items' volumes in cells, overlaps counted as often as they occur. */
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
    if (this.#disjoint && this.#meetsAny(box)) this.#disjoint = false;

    const entry: Entry<T> = { item, box, minX: 0, minY: 0, maxX: 0, maxY: 0 };
    this.#entries.set(item.id, entry);
    this.#volume += volume(box);
    for (let d = 0; d < this.#rank; d++) {
      const lower = box.lower[d] as number;
      const upper = box.upper[d] as number;
      if (lower < (this.#hullLower[d] as number)) this.#hullLower[d] = lower;
      if (upper > (this.#hullUpper[d] as number)) this.#hullUpper[d] = upper;
      this.#extents[d] = (this.#extents[d] as number) + (upper - lower);
    }
    if (this.#tree === undefined) {
      this.#flat.push(entry);
    } else {
      this.#project(entry);
      this.#tree.insert(entry);
    }
    if (this.size > this.#reviewAt) this.#review();
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
    if (this.#tree === undefined) {
      this.#flat.splice(this.#flat.indexOf(entry), 1);
    } else {
      this.#tree.remove(entry);
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
    if (box.lower.length !== this.#rank) return found;
    const candidates = this.#candidates(box);
    for (let i = 0; i < candidates.length; i++) {
      const entry = candidates[i] as Entry<T>;
      if (intersects(entry.box, box)) found.push(entry.item);
    }
    return found;
  }

  #meetsAny(box: Box): boolean {
    const candidates = this.#candidates(box);
    for (let i = 0; i < candidates.length; i++) {
      if (intersects((candidates[i] as Entry<T>).box, box)) return true;
    }
    return false;
  }

  #candidates(box: Box): readonly Entry<T>[] {
    if (this.#tree === undefined) return this.#flat;
    return this.#tree.search({
      minX: box.lower[this.#axisX] as number,
      minY: box.lower[this.#axisY] as number,
      maxX: (box.upper[this.#axisX] as number) - 1,
      maxY: (box.upper[this.#axisY] as number) - 1,
    });
  }

  #project(entry: Entry<T>): void {
    const { lower, upper } = entry.box;
    entry.minX = lower[this.#axisX] as number;
    entry.minY = lower[this.#axisY] as number;
    entry.maxX = (upper[this.#axisX] as number) - 1;
    entry.maxY = (upper[this.#axisY] as number) - 1;
  }

  #reset(box: Box): void {
    this.#rank = box.lower.length;
    this.#tree = undefined;
    this.#flat = [];
    this.#reviewAt = FLAT_LIMIT;
    this.#disjoint = true;
    this.#volume = 0;
    this.#hullLower = box.lower.slice();
    this.#hullUpper = box.upper.slice();
    this.#extents = box.lower.map(() => 0);
  }

  #flatten(): void {
    this.#tree = undefined;
    this.#flat = [...this.#entries.values()];
    this.#reviewAt = FLAT_LIMIT;
  }

  /** Builds the tree by bulk load, unless the one that stands has the right axes already. */
  #review(): void {
    this.#reviewAt = Math.max(this.size, this.#reviewAt) * REVIEW_FACTOR;
    const axes: number[] = [];
    for (let d = 0; d < this.#rank; d++) axes.push(d);
    axes.sort((a, b) => this.#thickness(a) - this.#thickness(b) || a - b);
    const x = axes[0] as number;
    const y = axes[1] ?? x;
    const same = (x === this.#axisX && y === this.#axisY) || (x === this.#axisY && y === this.#axisX);
    if (this.#tree !== undefined && same) return;
    this.#axisX = x;
    this.#axisY = y;
    const entries = [...this.#entries.values()];
    for (const entry of entries) this.#project(entry);
    this.#tree = new RBush<Entry<T>>();
    this.#tree.load(entries);
    this.#flat = [];
  }

  /** Mean extent of the items along a dimension, as a share of their hull: 1 / size at best, 1 tells nothing apart. */
  #thickness(dimension: number): number {
    const hull = (this.#hullUpper[dimension] as number) - (this.#hullLower[dimension] as number);
    return (this.#extents[dimension] as number) / hull;
  }
}
