import { OrderedTree } from './ordered-tree.js';

/** A contiguous range of bytes of one segment. */
export interface Extent {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

const UNIT = 64;
const PAGE = 4096;
/** From here on a buffer starts and ends at page borders, so that its copy moves whole pages. */
const LARGE_BYTES = 64 * 1024;
/** Holes that are looked at for one whose page-aligned part is long enough, before one that surely is gets taken. */
const ALIGNED_TRIES = 8;

/** The room that a buffer of this many bytes takes: rounded up to 64 bytes, from 64 KiB on to 4096. */
export function roundedBytes(bytes: number): number {
  const unit = bytes >= LARGE_BYTES ? PAGE : UNIT;
  return Math.ceil(bytes / unit) * unit;
}

function byPlace(a: Extent, b: Extent): number {
  return a.segment - b.segment || a.offset - b.offset;
}

function bySize(a: Extent, b: Extent): number {
  return a.length - b.length || byPlace(a, b);
}

function formatExtent({ segment, offset, length }: Extent): string {
  return `${segment}[${offset}, ${offset + length})`;
}

/**
 * Hands out room in a fixed set of segments: contiguous best fit; several extents only where no contiguous room is
 * left, so that fragmentation never refuses what fits. Free neighbours are joined. O(log n) in the number of holes,
 * times the number of extents. Buffers of 64 KiB and more are aligned to 4096 bytes (in a scattered allocation to 64),
 * smaller ones to 64; these are cut from the far end of a hole, so that its aligned start stays whole.
 */
export class ExtentAllocator {
  readonly totalBytes: number;
  readonly #segmentSizes: readonly number[];
  readonly #holesByPlace = new OrderedTree<Extent>(byPlace);
  readonly #holesBySize = new OrderedTree<Extent>(bySize);
  #freeBytes = 0;

  /** @param segmentSizes bytes of each segment; what exceeds a multiple of 64 stays unused */
  constructor(segmentSizes: readonly number[]) {
    this.#segmentSizes = segmentSizes.map((size) => Math.floor(size / UNIT) * UNIT);
    for (const [segment, length] of this.#segmentSizes.entries()) {
      if (length > 0) this.#addHole({ segment, offset: 0, length });
    }
    this.totalBytes = this.#freeBytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  get usedBytes(): number {
    return this.totalBytes - this.#freeBytes;
  }

  /** Room for `bytes`, rounded up as `roundedBytes` says; undefined if less than that is free. */
  allocate(bytes: number): Extent[] | undefined {
    const length = roundedBytes(bytes);
    if (length > this.#freeBytes) return undefined;
    if (length === 0) return [];
    const whole = bytes >= LARGE_BYTES ? this.#carveAligned(length) : undefined;
    if (whole !== undefined) return [whole];
    const hole = this.#smallestHole(length);
    return hole === undefined ? this.#carveScattered(length) : [this.#carveEnd(hole, length)];
  }

  /**
   * Gives extents back.
   * @throws RangeError if a part of them is free already or lies outside the segments; nothing is freed then
   */
  free(extents: readonly Extent[]): void {
    const freed: Extent[] = [];
    try {
      for (const extent of extents) {
        this.#assertInside(extent);
        this.#release(extent);
        freed.push(extent);
      }
    } catch (error) {
      for (const extent of freed) this.#take(extent);
      throw error;
    }
  }

  /**
   * Takes these very extents, as recovery does.
   * @throws RangeError if a part of them is taken already or lies outside the segments; nothing is taken then
   */
  claim(extents: readonly Extent[]): void {
    const claimed: Extent[] = [];
    try {
      for (const extent of extents) {
        this.#assertInside(extent);
        this.#take(extent);
        claimed.push(extent);
      }
    } catch (error) {
      for (const extent of claimed) this.#release(extent);
      throw error;
    }
  }

  #assertInside(extent: Extent): void {
    const { segment, offset, length } = extent;
    const size = this.#segmentSizes[segment];
    const whole = offset % UNIT === 0 && length % UNIT === 0 && offset >= 0 && length > 0;
    if (size === undefined || !whole || offset + length > size) {
      const room = `${this.#segmentSizes.length} segments of ${this.#segmentSizes[0] ?? 0} bytes`;
      throw new RangeError(`expected an extent of ${UNIT}-byte units inside ${room}, got ${formatExtent(extent)}`);
    }
  }

  #take(extent: Extent): void {
    const hole = this.#holesByPlace.floor(extent);
    const end = extent.offset + extent.length;
    if (hole === undefined || hole.segment !== extent.segment || hole.offset + hole.length < end) {
      throw new RangeError(`expected a free extent, got ${formatExtent(extent)}, of which a part is taken`);
    }
    this.#carve(hole, extent.offset, extent.length);
  }

  #release(extent: Extent): void {
    const { segment, offset, length } = extent;
    const before = this.#holesByPlace.floor(extent);
    const after = this.#holesByPlace.ceiling(extent);
    const left = before?.segment === segment ? before : undefined;
    const right = after?.segment === segment ? after : undefined;
    if ((left && left.offset + left.length > offset) || (right && right.offset < offset + length)) {
      throw new RangeError(`expected a taken extent, got ${formatExtent(extent)}, of which a part is free`);
    }
    let start = offset;
    let end = offset + length;
    if (left && left.offset + left.length === offset) {
      this.#removeHole(left);
      start = left.offset;
    }
    if (right && right.offset === end) {
      this.#removeHole(right);
      end += right.length;
    }
    this.#addHole({ segment, offset: start, length: end - start });
  }

  #smallestHole(length: number): Extent | undefined {
    return this.#holesBySize.ceiling({ segment: -1, offset: 0, length });
  }

  #carveAligned(length: number): Extent | undefined {
    let hole = this.#smallestHole(length);
    for (let tries = 0; hole !== undefined; tries++) {
      const start = Math.ceil(hole.offset / PAGE) * PAGE;
      if (start + length <= hole.offset + hole.length) return this.#carve(hole, start, length);
      hole =
        tries < ALIGNED_TRIES
          ? this.#holesBySize.ceiling({ ...hole, offset: hole.offset + 1 })
          : this.#smallestHole(length + PAGE - UNIT);
    }
    return undefined;
  }

  /** Takes the largest holes first, so that there are few extents, and for the rest the smallest that holds it. */
  #carveScattered(length: number): Extent[] {
    const extents: Extent[] = [];
    for (let rest = length; rest > 0; ) {
      const hole = this.#smallestHole(rest) ?? this.#holesBySize.max();
      if (hole === undefined) throw new RangeError(`expected holes of ${rest} more bytes, found none`);
      const part = Math.min(rest, hole.length);
      extents.push(this.#carveEnd(hole, part));
      rest -= part;
    }
    return extents;
  }

  #carveEnd(hole: Extent, length: number): Extent {
    return this.#carve(hole, hole.offset + hole.length - length, length);
  }

  #carve(hole: Extent, offset: number, length: number): Extent {
    const { segment } = hole;
    this.#removeHole(hole);
    const end = offset + length;
    const holeEnd = hole.offset + hole.length;
    if (offset > hole.offset) this.#addHole({ segment, offset: hole.offset, length: offset - hole.offset });
    if (holeEnd > end) this.#addHole({ segment, offset: end, length: holeEnd - end });
    return { segment, offset, length };
  }

  #addHole(hole: Extent): void {
    this.#holesByPlace.insert(hole);
    this.#holesBySize.insert(hole);
    this.#freeBytes += hole.length;
  }

  #removeHole(hole: Extent): void {
    this.#holesByPlace.delete(hole);
    this.#holesBySize.delete(hole);
    this.#freeBytes -= hole.length;
  }
}
