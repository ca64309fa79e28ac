import { type Box, BoxIndex, contains, equals, tile, volume } from '@tidegate/geometry';
import {
  compareAge,
  type Epoch,
  type IndexEntry,
  type PartitionId,
  type RawId,
  type Stamp,
  type Tier,
} from '@tidegate/protocol';
import { cellsIn, type Region } from './region.js';

/** Up to this many partitions are passed to every box of a region instead of being searched for each. */
const SCAN_LIMIT = 32;

/** A partition as this process keeps it. */
export interface Held {
  readonly id: PartitionId;
  readonly box: Box;
  readonly bytes: number;
  /** The lowest shard that the box touches, whoever owns it. */
  readonly lowest: number;
  epoch: Epoch;
  stamp: Stamp;
  raw: RawId;
  tier: Tier;
  /** Start of the raw-service that told of it last. */
  incarnation: string;
  /** Owned shards that were told of it: without any of them it is forgotten. */
  shards: readonly number[];
}

/** How a partition was taken in: see `IndexReply`. */
export type Indexed =
  | { readonly kind: 'indexed' }
  | { readonly kind: 'restamp'; readonly above: Stamp }
  | { readonly kind: 'duplicate'; readonly raw: RawId };

/** Wants to know when a step begins or ceases to cover a region. */
export interface CoverageListener {
  readonly region: Region;
  coverageChanged(step: StepIndex, covered: boolean): void;
}

/** What tiles a region: newest data per cell, and the cells without any. */
export interface RegionTiling {
  readonly pieces: readonly { readonly box: Box; readonly partition: Held }[];
  readonly missing: readonly Box[];
}

/** A new partition's record for `index` and `adopt`. */
export function heldEntry(entry: IndexEntry, lowest: number, shards: readonly number[], incarnation: string): Held {
  const { id, box, bytes, epoch, stamp, raw, tier } = entry;
  return { id, box, bytes, epoch, lowest, stamp, raw, tier, incarnation, shards };
}

/**
 * The partitions of one (variable, run, step). Coverage of the regions that someone listens to is kept by counting the
 * cells that each change newly covers or uncovers, so a change costs what it touches, not what is staged.
 */
export class StepIndex {
  readonly step: number;
  readonly #entries = new BoxIndex<Held>();
  readonly #uncovered = new Map<CoverageListener, number>();
  /** Contains every partition; it does not shrink before the step is empty. */
  #hull: Box | undefined;
  #version = 0;

  constructor(step: number) {
    this.step = step;
  }

  /** Number of partitions. */
  get size(): number {
    return this.#entries.size;
  }

  /** Changes whenever a plan may. */
  get version(): number {
    return this.#version;
  }

  /** True while nobody would miss this object. */
  get idle(): boolean {
    return this.#entries.size === 0 && this.#uncovered.size === 0;
  }

  get(id: string): Held | undefined {
    return this.#entries.get(id);
  }

  values(): IterableIterator<Held> {
    return this.#entries.values();
  }

  /**
   * Takes in a partition that is being put. `restamp` and `duplicate` leave the index as it was.
   *
   * @param rule `replace`: this copy won against another one of its id; `isLive`: may the other one's raw-service answer?
   */
  index(entry: Held, rule: { readonly replace: boolean; readonly isLive: (raw: RawId) => boolean }): Indexed {
    const standing = this.#entries.get(entry.id);
    if (standing !== undefined && standing.raw !== entry.raw && !rule.replace && rule.isLive(standing.raw)) {
      return { kind: 'duplicate', raw: standing.raw };
    }
    const near = this.#entries.search(entry.box);
    let above: Stamp | undefined;
    for (let i = 0; i < near.length; i++) {
      const other = near[i] as Held;
      if (other.id === entry.id || compareAge(other, entry) < 0) continue;
      if (above === undefined || other.stamp > above) above = other.stamp;
    }
    if (above !== undefined) return { kind: 'restamp', above };
    this.#put(entry, standing, near);
    return { kind: 'indexed' };
  }

  /**
   * Takes in a partition from an inventory. Where two raw-services hold the id, every shard keeps the same one of them.
   *
   * @returns the raw-service whose copy lost, if any
   */
  adopt(entry: Held): RawId | undefined {
    const standing = this.#entries.get(entry.id);
    if (standing !== undefined && standing.raw !== entry.raw) {
      const newer = entry.stamp > standing.stamp || (entry.stamp === standing.stamp && entry.raw < standing.raw);
      if (!newer) return entry.raw;
    }
    const loser = standing !== undefined && standing.raw !== entry.raw ? standing.raw : undefined;
    this.#put(entry, standing, this.#entries.search(entry.box));
    return loser;
  }

  #put(entry: Held, standing: Held | undefined, near: readonly Held[]): void {
    this.#version++;
    if (standing !== undefined && equals(standing.box, entry.box)) {
      // A message that was overtaken must not take a stamp back.
      standing.stamp = standing.raw === entry.raw && standing.stamp > entry.stamp ? standing.stamp : entry.stamp;
      standing.epoch = entry.epoch;
      standing.raw = entry.raw;
      standing.tier = entry.tier;
      standing.incarnation = entry.incarnation;
      standing.shards = union(standing.shards, entry.shards);
      return;
    }
    if (standing !== undefined) {
      this.remove(entry.id);
      this.#put(
        entry,
        undefined,
        near.filter((other) => other.id !== entry.id),
      );
      return;
    }
    this.#entries.insert(entry);
    this.#hull = this.#entries.size === 1 || this.#hull === undefined ? entry.box : hullOf(this.#hull, entry.box);
    if (this.#uncovered.size > 0) this.#count(near.length === 0 ? [entry.box] : tile(entry.box, near).missing, -1);
  }

  /** Forgets a partition. */
  remove(id: string): Held | undefined {
    const entry = this.#entries.remove(id);
    if (entry === undefined) return undefined;
    this.#version++;
    if (this.#uncovered.size > 0) this.#count(tile(entry.box, this.#entries.search(entry.box)).missing, 1);
    return entry;
  }

  setTier(id: string, raw: string, tier: Tier): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.raw !== raw || entry.tier === tier) return;
    entry.tier = tier;
    this.#version++;
  }

  /** Adds or takes the cells of `boxes` (disjoint) from what each listener's region misses. */
  #count(boxes: readonly Box[], sign: 1 | -1): void {
    if (boxes.length === 0) return;
    const turned: CoverageListener[] = [];
    for (const [listener, before] of this.#uncovered) {
      let cells = 0;
      for (let i = 0; i < boxes.length; i++) cells += cellsIn(listener.region, boxes[i] as Box);
      if (cells === 0) continue;
      const after = before + sign * cells;
      this.#uncovered.set(listener, after);
      if ((before === 0) !== (after === 0)) turned.push(listener);
    }
    // Told at the end: a listener may stop listening, or start anew, when it hears.
    for (const listener of turned) listener.coverageChanged(this, sign < 0);
  }

  /** True where the listener's region is covered; from now on it hears of changes. */
  listen(listener: CoverageListener): boolean {
    let cells = this.#uncovered.get(listener);
    if (cells === undefined) {
      cells = this.uncoveredCells(listener.region);
      this.#uncovered.set(listener, cells);
    }
    return cells === 0;
  }

  /** Whether a listened-to region is covered; undefined for a stranger. */
  heard(listener: CoverageListener): boolean | undefined {
    const cells = this.#uncovered.get(listener);
    return cells === undefined ? undefined : cells === 0;
  }

  unlisten(listener: CoverageListener): void {
    this.#uncovered.delete(listener);
  }

  /** Number of cells of the region that have no data. */
  uncoveredCells(region: Region): number {
    for (const [listener, cells] of this.#uncovered) if (listener.region === region) return cells;
    const near = this.#entries.search(region.bound);
    if (near.length === 0) return region.cells;
    let cells = region.cells;
    if (this.#entries.disjoint) {
      for (let i = 0; i < near.length; i++) cells -= cellsIn(region, (near[i] as Held).box);
      return cells;
    }
    cells = 0;
    for (const part of region.boxes) {
      const some = near.length <= SCAN_LIMIT ? near : this.#entries.search(part);
      for (const hole of tile(part, some).missing) cells += volume(hole);
    }
    return cells;
  }

  /** Number of partitions that touch the region's bounds: at least as many as its tiling has. */
  countNear(region: Region): number {
    if (this.#hull !== undefined && contains(region.bound, this.#hull)) return this.#entries.size;
    return this.#entries.search(region.bound).length;
  }

  /** True while no two partitions overlap, so that each one near a region is in its tiling. */
  get disjoint(): boolean {
    return this.#entries.disjoint;
  }

  /** What tiles the region; a partition has one piece per box of the region at least. */
  tile(region: Region): RegionTiling {
    const { disjoint } = this.#entries;
    const near = this.#newestFirst(region.bound);
    const [only] = region.boxes;
    if (region.boxes.length === 1 && only !== undefined) return tile(only, near, { disjoint });
    const pieces: { box: Box; partition: Held }[] = [];
    const missing: Box[] = [];
    for (const part of region.boxes) {
      const tiling = tile(part, near.length <= SCAN_LIMIT ? near : this.#newestFirst(part), { disjoint });
      for (const piece of tiling.pieces) pieces.push(piece);
      for (const hole of tiling.missing) missing.push(hole);
    }
    return { pieces, missing };
  }

  /** The partitions that touch a box; their order means nothing while no two overlap. */
  #newestFirst(box: Box): Held[] {
    const near = this.#entries.search(box);
    if (!this.#entries.disjoint) near.sort((a, b) => compareAge(b, a));
    return near;
  }
}

function hullOf(hull: Box, box: Box): Box {
  if (contains(hull, box)) return hull;
  return {
    lower: hull.lower.map((lower, d) => Math.min(lower, box.lower[d] as number)),
    upper: hull.upper.map((upper, d) => Math.max(upper, box.upper[d] as number)),
  };
}

function union(a: readonly number[], b: readonly number[]): readonly number[] {
  if (b.every((shard) => a.includes(shard))) return a;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}
