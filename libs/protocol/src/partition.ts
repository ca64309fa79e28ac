import type { DType } from '@tidegate/array';
import type { Box } from '@tidegate/geometry';
import type { Epoch, PartitionId, RawId, Stamp } from './names.js';

/** Where a partition's bytes are. */
export type Tier = 'memory' | 'disk';

/** A region named by provenance. */
export interface RegionRef {
  readonly run?: string;
  readonly variable: string;
  readonly step: number;
  /** Text form; absent for the whole domain. */
  readonly box?: string;
}

/** One put: immutable but for its stamp, which may rise until the put is acknowledged. */
export interface PartitionRecord {
  readonly id: PartitionId;
  readonly run: string;
  readonly variable: string;
  readonly step: number;
  readonly epoch: Epoch;
  readonly box: Box;
  readonly dtype: DType;
  readonly bytes: number;
  readonly stamp: Stamp;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** `sha256:<hex>` of the payload, when the writer gave it. */
  readonly digest?: string;
  /** Id of a stored annotation, or the annotation itself as JSON. */
  readonly annotation?: string;
  readonly derivedFrom?: readonly RegionRef[];
  readonly activity?: string;
}

/** What a shard keeps of a partition. */
export interface IndexEntry {
  readonly id: PartitionId;
  readonly run: string;
  readonly variable: string;
  readonly step: number;
  readonly epoch: Epoch;
  readonly box: Box;
  readonly bytes: number;
  readonly stamp: Stamp;
  readonly raw: RawId;
  readonly tier: Tier;
}

/** The index entry of a partition that `raw` holds in `tier`. */
export function indexEntry(record: PartitionRecord, raw: RawId, tier: Tier): IndexEntry {
  const { id, run, variable, step, epoch, box, bytes, stamp } = record;
  return { id, run, variable, step, epoch, box, bytes, stamp, raw, tier };
}
