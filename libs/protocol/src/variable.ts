import type { DType } from '@tidegate/array';

/** A declared variable, as kept in the `variables` bucket and answered by `variable.declare`. */
export interface VariableRecord {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Steps kept in memory. */
  readonly window: number;
  readonly onEvict: 'spill' | 'drop';
  readonly durability: 'memory' | 'durable';
  readonly layout?: readonly number[];
  readonly annotation: 'optional' | 'required';
  /** RFC 3339. */
  readonly createdAt: string;
  readonly shards: number;
}
