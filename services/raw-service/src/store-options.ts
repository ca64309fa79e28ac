import type { Logger } from '@tidegate/bus';
import type { PartitionRecord, StorageState } from '@tidegate/protocol';
import type { EvictionPolicy } from './eviction.js';

/** What a partition store is opened with. */
export interface PartitionStoreOptions {
  /** For the log. */
  readonly id: string;
  /** Folder for segments and journal, memory-backed for speed. */
  readonly memoryDir: string;
  /** Folder for the files of the disk tier. */
  readonly dataDir: string;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Size of a memory segment; default 64 MiB, or all of memory where that is less. */
  readonly segmentBytes?: number;
  /** How a variable was declared; undefined while that is not known or after it was deleted. */
  readonly policy: (variable: string) => EvictionPolicy | undefined;
  readonly isPinned: (variable: string, run: string, step: number) => boolean;
  /** Whether a trigger may still decide a step that left its window; asked of such steps alone. */
  readonly isUndecided: (variable: string, run: string, step: number) => boolean;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly on: {
    /** Partitions of one step, now on disk alone. */
    spilled(records: readonly PartitionRecord[]): void;
    /** Partitions of one step, gone like all of their series below `floor`. */
    dropped(records: readonly PartitionRecord[], floor: number): void;
    state(state: StorageState): void;
  };
}
