/** Branded identifiers: a shard number is no array index, and a raw-service id is no partition id. */
type Brand<T, Name extends string> = T & { readonly [brand]: Name };
declare const brand: unique symbol;

/** ULID of one put. */
export type PartitionId = Brand<string, 'PartitionId'>;
/** Number of a shard, 0 … S-1. */
export type ShardId = Brand<number, 'ShardId'>;
/** Id of a raw-service, stable over restarts: `[A-Za-z0-9_-]{1,64}`. */
export type RawId = Brand<string, 'RawId'>;
/** Rollback count of a run. */
export type Epoch = Brand<number, 'Epoch'>;
/** Hybrid logical clock value that orders partitions: see `HybridClock`. */
export type Stamp = Brand<number, 'Stamp'>;

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** What a name of a variable, run, trigger, task or service must look like, for messages. */
export const NAME_RULE = '[A-Za-z0-9_-]{1,64}';

/** True for a name of a variable, run, trigger, task or service. */
export function isName(text: unknown): text is string {
  return typeof text === 'string' && NAME.test(text);
}

/** True for a canonical (upper-case Crockford base 32) ULID. */
export function isUlid(text: unknown): text is string {
  return typeof text === 'string' && ULID.test(text);
}

/** True for a step or an epoch: an integer 0 … 2^53-1. */
export function isStep(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
