import type { Bucket } from '@tidegate/protocol';
import type { Bus } from './bus.js';
import { type KvBucket, openBucket } from './kv.js';
import { KvCache, type KvChange } from './kv-cache.js';

/** A bucket with a local copy that follows it. */
export interface Watched<T> {
  readonly bucket: KvBucket<T>;
  readonly cache: KvCache<T>;
}

/**
 * Opens a bucket and returns once its content is here.
 *
 * @param onChange called when a value changed; without one it is gone
 * @throws UnavailableError, StorageFullError
 */
export async function watchBucket<T>(
  bus: Bus,
  name: Bucket,
  onChange: (key: string, value: T | undefined, change: KvChange) => void = () => {},
): Promise<Watched<T>> {
  const bucket = await openBucket<T>(bus, name);
  const cache = await KvCache.open(bucket, { onChange: (key, entry, change) => onChange(key, entry?.value, change) });
  return { bucket, cache };
}
