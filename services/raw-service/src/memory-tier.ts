import { isOpaque, itemSize, packedBytes } from '@tidegate/array';
import type { Logger } from '@tidegate/bus';
import type { Box } from '@tidegate/geometry';
import { BusyError, NotFoundError, type PartitionId, type PartitionRecord } from '@tidegate/protocol';
import { copySlab, planBoxRead, type ReadTuning } from './box-read.js';
import { type Extent, ExtentAllocator } from './extent-allocator.js';
import type { Journal } from './journal.js';
import type { RoomHold } from './partition-hold.js';
import { assertRange, assertReadable } from './readable.js';
import { recordFromJson, recordToJson } from './record-json.js';
import { existingSegments, SegmentStore, segmentSizes } from './segment-store.js';

const LAYOUT = 'layout';
const PARTITION = 'p:';
const LOGGED_IDS = 20;
/** Most holds at a time: each may keep room from being given back. */
const MAX_HOLDS = 4096;
const HOLD_RETRY_MS = 20;
/** A system call costs as much as copying some kilobytes, which is where these limits come from. */
const TUNING: ReadTuning = { longRun: 16 * 1024, maxGap: 16 * 1024, scratchBytes: 1 << 20 };

/** Room in the segments that belongs to one put until it is committed or aborted. */
export class Reservation {
  readonly bytes: number;
  readonly extents: readonly Extent[];
  /** Whether room on disk is held as well. */
  readonly onDisk: boolean;
  readonly #segments: SegmentStore;
  readonly #release: () => void;
  readonly #onClose: (() => void) | undefined;
  #open = true;

  constructor(options: {
    bytes: number;
    extents: readonly Extent[];
    segments: SegmentStore;
    /** Gives the room back. */
    release: () => void;
    /** Ends what is held on disk, when the reservation ends in whatever way. */
    onClose?: (() => void) | undefined;
  }) {
    this.bytes = options.bytes;
    this.extents = options.extents;
    this.#segments = options.segments;
    this.#release = options.release;
    this.#onClose = options.onClose;
    this.onDisk = options.onClose !== undefined;
  }

  /** False once it was committed or aborted. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Writes a part of the payload; parts may come in any order. */
  write(offset: number, bytes: Uint8Array): void {
    this.#assertInside(offset, bytes.length);
    this.#segments.write(this.extents, offset, bytes);
  }

  /** Fills `target` with what was written from `offset` on, for a digest of the whole, say. */
  read(offset: number, target: Uint8Array): void {
    this.#assertInside(offset, target.length);
    this.#segments.read(this.extents, offset, target);
  }

  /** Gives the room back; no effect once committed or aborted. */
  abort(): void {
    if (!this.#open) return;
    this.close();
    this.#release();
  }

  /** Ends the reservation without giving its room back. */
  close(): void {
    this.#open = false;
    this.#onClose?.();
  }

  #assertInside(offset: number, length: number): void {
    if (!this.#open) throw new RangeError('expected an open reservation, got one that was committed or aborted');
    if (offset < 0 || offset + length > this.bytes) {
      throw new RangeError(`expected bytes inside a reservation of ${this.bytes}, got [${offset}, ${offset + length})`);
    }
  }
}

interface Held {
  readonly record: PartitionRecord;
  readonly extents: readonly Extent[];
  /** Readers outside this thread. */
  holds: number;
  /** Freed, but for the room that they read. */
  isLeaving: boolean;
}

/**
 * The partitions that lie in memory segments. The journal record of a commit is what makes a partition: after a
 * SIGKILL it is there if and only if that record is whole. Room is reused only after the record of its release.
 * Reads are synchronous, so inside this thread none can meet room that is freed and given away under it; other threads
 * read under a hold.
 */
export class MemoryTier {
  readonly limitBytes: number;
  readonly #segments: SegmentStore;
  readonly #allocator: ExtentAllocator;
  readonly #journal: Journal;
  readonly #onFreed: () => void;
  readonly #held = new Map<PartitionId, Held>();
  readonly #scratch = new Uint8Array(TUNING.scratchBytes);
  #reservations = 0;
  #holds = 0;
  #leavingBytes = 0;

  private constructor(limitBytes: number, segments: SegmentStore, journal: Journal, onFreed: () => void) {
    this.limitBytes = limitBytes;
    this.#segments = segments;
    this.#allocator = new ExtentAllocator(segments.sizes);
    this.#journal = journal;
    this.#onFreed = onFreed;
  }

  /**
   * Opens the segments and takes the partitions that the journal lists. Those of another start of the host, and those
   * whose segments are gone, are given up with a log line.
   *
   * @param options.entries what the journal held when it was opened
   * @param options.bootId names this start of the host
   * @param options.onFreed called after room was given back
   * @throws Error when the file system has no room for the segments
   */
  static async open(options: {
    directory: string;
    limitBytes: number;
    segmentBytes: number;
    journal: Journal;
    entries: ReadonlyMap<string, unknown>;
    bootId: string;
    logger: Pick<Logger, 'info' | 'warn' | 'error'>;
    onFreed: () => void;
  }): Promise<MemoryTier> {
    const { directory, limitBytes, journal, entries, bootId, logger } = options;
    const layout = entries.get(LAYOUT) as { bootId: string; segmentBytes: number } | undefined;
    const { kept, lost } = await recover(directory, entries, layout?.bootId === bootId);
    // Partitions are addressed by segment: while there are any, segments keep their size, whatever is configured now.
    const segmentBytes = kept.length > 0 && layout ? layout.segmentBytes : Math.min(options.segmentBytes, limitBytes);
    const sizes = segmentSizes(limitBytes, segmentBytes);
    for (const { extents } of kept) {
      for (const { segment, offset, length } of extents) {
        while (sizes.length <= segment) sizes.push(0);
        sizes[segment] = Math.max(sizes[segment] ?? 0, offset + length);
      }
    }
    const segments = await SegmentStore.open(directory, sizes);
    const tier = new MemoryTier(limitBytes, segments, journal, options.onFreed);
    for (const { record, extents } of kept) {
      try {
        tier.#allocator.claim(extents);
        tier.#held.set(record.id, { record, extents, holds: 0, isLeaving: false });
      } catch (error) {
        lost.push({ key: PARTITION + record.id, reason: (error as Error).message });
      }
    }
    for (const [reason, keys] of Map.groupBy(lost, ({ reason }) => reason)) {
      const examples = keys.slice(0, LOGGED_IDS).map(({ key }) => key.slice(PARTITION.length));
      logger.error({ reason, partitions: keys.length, examples }, 'partitions in memory lost');
    }
    journal.delete(lost.map(({ key }) => key));
    if (layout?.segmentBytes !== segmentBytes || layout.bootId !== bootId)
      journal.set(LAYOUT, { bootId, segmentBytes });
    if (kept.length > 0) logger.info({ partitions: tier.#held.size, bytes: tier.usedBytes }, 'memory tier recovered');
    return tier;
  }

  /** Bytes of the segments that are taken, by reservations too. */
  get usedBytes(): number {
    return this.#allocator.usedBytes;
  }

  /** Bytes of partitions that were freed while they were held: theirs is the next room to come back. */
  get leavingBytes(): number {
    return this.#leavingBytes;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Room for `bytes`; undefined if there is none. @param onClose called once when the reservation ends */
  reserve(bytes: number, onClose?: () => void): Reservation | undefined {
    const extents = this.#allocator.allocate(bytes);
    if (extents === undefined) return undefined;
    this.#reservations++;
    const release = () => this.#release(extents);
    return new Reservation({ bytes, extents, segments: this.#segments, release, onClose });
  }

  /**
   * Makes a reservation a partition, for good once this returns. If it throws, the reservation stands as before.
   * @throws NodeJS.ErrnoException when the journal cannot be written
   */
  commit(reservation: Reservation, record: PartitionRecord): void {
    if (!reservation.isOpen || record.bytes !== reservation.bytes || this.#held.has(record.id)) {
      throw new RangeError(
        `expected a new partition of ${reservation.bytes} bytes and its room, got ${record.id} of ${record.bytes} bytes`,
      );
    }
    const { extents } = reservation;
    const places = extents.map(({ segment, offset, length }) => [segment, offset, length]);
    this.#journal.set(PARTITION + record.id, { at: places, record: recordToJson(record) });
    reservation.close();
    this.#reservations--;
    this.#held.set(record.id, { record, extents, holds: 0, isLeaving: false });
  }

  get(id: PartitionId): PartitionRecord | undefined {
    return this.#held.get(id)?.record;
  }

  /**
   * The cells of `box`, packed row-major, as new bytes.
   * @throws NotFoundError, BadRequestError if the box is not inside the partition's, or only a part of an opaque one's
   */
  readBox(id: PartitionId, box: Box): Uint8Array<ArrayBuffer> {
    const { record, extents } = this.#find(id);
    assertReadable(record, box);
    if (isOpaque(record.dtype)) return this.readBytes(id, 0, record.bytes);
    const size = itemSize(record.dtype);
    const target = new Uint8Array(packedBytes(box, size));
    for (const read of planBoxRead(record.box, box, size, TUNING)) {
      const { offset, length, targetOffset } = read;
      if (read.kind === 'direct') {
        this.#segments.read(extents, offset, target.subarray(targetOffset, targetOffset + length));
      } else {
        const { scratchOffset } = read;
        this.#segments.read(extents, offset, this.#scratch.subarray(scratchOffset, scratchOffset + length));
        copySlab(read, this.#scratch, target, size);
      }
    }
    return target;
  }

  /**
   * A range of the payload's bytes, as new bytes.
   * @throws NotFoundError, BadRequestError if it reaches out of the payload
   */
  readBytes(id: PartitionId, offset: number, length: number): Uint8Array<ArrayBuffer> {
    const { record, extents } = this.#find(id);
    assertRange(record, offset, length);
    const target = new Uint8Array(length);
    this.#segments.read(extents, offset, target);
    return target;
  }

  /** Fills `target` from `offset` of the payload. @throws NotFoundError */
  readInto(id: PartitionId, offset: number, target: Uint8Array): void {
    this.#segments.read(this.#find(id).extents, offset, target);
  }

  /**
   * Keeps the room of a partition from being reused until it is released, also when the partition is freed meanwhile.
   *
   * @returns undefined if it is not here
   * @throws BusyError when too many are held
   */
  hold(id: PartitionId): RoomHold | undefined {
    const held = this.#held.get(id);
    if (held === undefined) return undefined;
    if (this.#holds >= MAX_HOLDS) throw new BusyError(`expected fewer than ${MAX_HOLDS} holds`, HOLD_RETRY_MS);
    this.#holds++;
    held.holds++;
    let isOpen = true;
    const release = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#unhold(held);
    };
    return { file: this.#segments.place(held.extents, held.record.bytes), release };
  }

  /** Forgets partitions and gives their room back, that of held ones once they are released; unknown ids are no error. */
  free(ids: readonly PartitionId[]): void {
    const known = [...new Set(ids)].filter((id) => this.#held.has(id));
    if (known.length === 0) return;
    this.#journal.delete(known.map((id) => PARTITION + id));
    for (const id of known) {
      const held = this.#find(id);
      this.#held.delete(id);
      if (held.holds > 0) {
        held.isLeaving = true;
        this.#leavingBytes += roomOf(held.extents);
      } else {
        this.#allocator.free(held.extents);
      }
    }
    this.#onFreed();
  }

  *records(): Generator<PartitionRecord> {
    for (const { record } of this.#held.values()) yield record;
  }

  /** Closes the segments; deletes them and answers true if they hold nothing. */
  close(): boolean {
    if (this.#held.size > 0 || this.#reservations > 0) {
      this.#segments.close();
      return false;
    }
    this.#segments.remove();
    return true;
  }

  #find(id: PartitionId): Held {
    const held = this.#held.get(id);
    if (held === undefined) throw new NotFoundError(`partition ${id} is not in memory`);
    return held;
  }

  #unhold(held: Held): void {
    this.#holds--;
    held.holds--;
    if (held.holds > 0 || !held.isLeaving) return;
    this.#leavingBytes -= roomOf(held.extents);
    this.#allocator.free(held.extents);
    this.#onFreed();
  }

  #release(extents: readonly Extent[]): void {
    this.#reservations--;
    this.#allocator.free(extents);
    this.#onFreed();
  }
}

function roomOf(extents: readonly Extent[]): number {
  return extents.reduce((sum, { length }) => sum + length, 0);
}

async function recover(directory: string, entries: ReadonlyMap<string, unknown>, sameBoot: boolean) {
  const kept: Pick<Held, 'record' | 'extents'>[] = [];
  const lost: { key: string; reason: string }[] = [];
  const existing = await existingSegments(directory);
  for (const [key, value] of entries) {
    if (!key.startsWith(PARTITION)) continue;
    const { at, record } = value as { at: [number, number, number][]; record: unknown };
    const extents = at.map(([segment, offset, length]) => ({ segment, offset, length }));
    const backed = extents.every(({ segment, offset, length }) => offset + length <= (existing.get(segment) ?? 0));
    try {
      if (!sameBoot) lost.push({ key, reason: 'the host was started anew' });
      else if (!backed) lost.push({ key, reason: 'its memory segment is gone' });
      else kept.push({ record: recordFromJson(record), extents });
    } catch (error) {
      lost.push({ key, reason: (error as Error).message });
    }
  }
  return { kept, lost };
}
