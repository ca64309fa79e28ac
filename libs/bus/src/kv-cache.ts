import { TimeoutError } from '@tidegate/protocol';
import { timerDelay } from './clock.js';
import { isDeleteMarker, type KvBucket, type KvEntry } from './kv.js';
import { OrderedConsumer, type StreamMessage } from './ordered-consumer.js';

/**
 * Why an entry changed: `missing` says that it was not there any more after an interruption of the watch, deleted or
 * expired.
 */
export type KvChange = 'written' | 'deleted' | 'missing';

export interface KvCacheOptions<T> {
  /** A key was written, or (without an entry) went away. Called for the initial content, too, in order of revision. */
  readonly onChange?: (key: string, entry: KvEntry<T> | undefined, change: KvChange) => void;
  /** The cache is in step with the bucket: at first, and after every interruption of its watch. */
  readonly onSync?: () => void;
}

interface Waiter {
  readonly revision: number;
  readonly wake: () => void;
}

const utf8 = new TextDecoder();

/**
 * A copy of a bucket, kept in step by a watch that outlives lost connections and restarted servers. Keys that expire
 * leave no trace in a watch: they stay here until the next interruption, so readers of a bucket with a time to live
 * judge the age themselves.
 */
export class KvCache<T> {
  readonly #bucket: KvBucket<T>;
  readonly #options: KvCacheOptions<T>;
  readonly #entries = new Map<string, KvEntry<T>>();
  readonly #waiters = new Set<Waiter>();
  #consumer: OrderedConsumer | undefined;
  /** Keys seen since the watch was opened, until it has caught up. */
  #snapshot: Set<string> | undefined;
  #snapshotRevision = 0;
  #revision = 0;

  /** Opens the cache and returns once it holds the bucket's content. @throws UnavailableError */
  static async open<T>(bucket: KvBucket<T>, options: KvCacheOptions<T> = {}): Promise<KvCache<T>> {
    const cache = new KvCache(bucket, options);
    let caughtUp: () => void = () => {};
    const filled = new Promise<void>((resolve) => {
      caughtUp = resolve;
    });
    cache.#consumer = await OrderedConsumer.open(bucket.bus, {
      stream: bucket.streamName,
      filter: bucket.subject('>'),
      start: () => 'last-per-subject',
      onOpen: (lastSequence) => cache.#begin(lastSequence),
      onMessage: (message) => cache.#receive(message),
      onCaughtUp: () => {
        cache.#finish();
        caughtUp();
      },
      onBroken: () => {
        cache.#snapshot ??= new Set();
      },
    });
    await filled;
    return cache;
  }

  private constructor(bucket: KvBucket<T>, options: KvCacheOptions<T>) {
    this.#bucket = bucket;
    this.#options = options;
  }

  /** All changes up to this revision of the bucket are in. */
  get revision(): number {
    return this.#revision;
  }

  /** False while the watch is interrupted or catching up. */
  get inSync(): boolean {
    return this.#snapshot === undefined && this.#bucket.bus.connected;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  entry(key: string): KvEntry<T> | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<[string, KvEntry<T>]> {
    return this.#entries.entries();
  }

  /** The cached value; what is not cached is asked of the bucket and remembered. */
  async getThrough(key: string): Promise<T | undefined> {
    const cached = this.#entries.get(key);
    if (cached) return cached.value;
    const entry = await this.#bucket.get(key);
    // Where the watch has passed that revision, it knows better: the key may have been deleted since.
    if (entry && entry.revision > this.#revision) this.#apply(key, entry, 'written');
    return this.#entries.get(key)?.value;
  }

  /** Returns once all changes up to `revision` are in. @throws TimeoutError */
  waitFor(revision: number, timeoutMs: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        revision,
        wake: () => {
          settle();
          resolve();
        },
      };
      const timer = setTimeout(() => {
        settle();
        const where = `${this.#bucket.name} is at revision ${this.#revision}`;
        reject(new TimeoutError(`${where} here after ${timeoutMs} ms, not yet at ${revision}`));
      }, timerDelay(timeoutMs));
      this.#waiters.add(waiter);
    });
  }

  stop(): void {
    this.#consumer?.stop();
  }

  #begin(lastSequence: number): void {
    this.#snapshot = new Set();
    this.#snapshotRevision = lastSequence;
    if (lastSequence >= this.#revision) return;
    // The bucket was made anew or restored from an older copy: whatever it holds now replaces what is here.
    this.#revision = 0;
    for (const [key, { value }] of this.#entries) this.#entries.set(key, { value, revision: 0 });
  }

  #receive(message: StreamMessage): void {
    const key = this.#bucket.key(message.subject);
    const deleted = isDeleteMarker(message.header('KV-Operation'));
    if (this.#snapshot) {
      if (deleted) this.#snapshot.delete(key);
      else this.#snapshot.add(key);
      this.#snapshotRevision = Math.max(this.#snapshotRevision, message.sequence);
    }
    const standing = this.#entries.get(key);
    if (!standing || standing.revision < message.sequence) {
      const entry = deleted ? undefined : this.#parse(key, message);
      this.#apply(key, entry, deleted ? 'deleted' : 'written');
    }
    if (!this.#snapshot) this.#reach(message.sequence);
  }

  /** The watch has caught up: what it did not show is gone. */
  #finish(): void {
    const seen = this.#snapshot;
    if (!seen) return;
    this.#snapshot = undefined;
    for (const [key, { revision }] of [...this.#entries]) {
      if (!seen.has(key) && revision <= this.#snapshotRevision) this.#apply(key, undefined, 'missing');
    }
    this.#reach(this.#snapshotRevision);
    this.#options.onSync?.();
  }

  #parse(key: string, { data, sequence }: StreamMessage): KvEntry<T> | undefined {
    try {
      return { value: JSON.parse(utf8.decode(data)), revision: sequence };
    } catch (error) {
      const { bus, name } = this.#bucket;
      bus.logger.error({ err: error, bucket: name, key }, 'a value that is no JSON is taken for none');
      return undefined;
    }
  }

  #apply(key: string, entry: KvEntry<T> | undefined, change: KvChange): void {
    if (entry) this.#entries.set(key, entry);
    else if (!this.#entries.delete(key)) return;
    try {
      this.#options.onChange?.(key, entry, change);
    } catch (error) {
      // The cache itself is in step; that its follower is not must not stop it.
      const { bus, name } = this.#bucket;
      bus.logger.error({ err: error, bucket: name, key }, 'the follower of a bucket failed on a change');
    }
  }

  #reach(revision: number): void {
    this.#revision = revision;
    for (const waiter of [...this.#waiters]) if (waiter.revision <= revision) waiter.wake();
  }
}
