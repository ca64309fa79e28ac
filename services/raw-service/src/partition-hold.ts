import type { PartitionRecord } from '@tidegate/protocol';

/** A range of bytes of a file that another thread may read by itself. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Room of a partition that nothing else gets before it is released, whatever becomes of the partition. */
export interface RoomHold {
  /** The whole payload; undefined where it does not lie in one place. */
  readonly file: FileRange | undefined;
  /** Ends the hold; no effect the second time. */
  release(): void;
}

/** A partition that a reader outside the store has taken hold of. */
export interface PartitionHold extends RoomHold {
  readonly record: PartitionRecord;
}
