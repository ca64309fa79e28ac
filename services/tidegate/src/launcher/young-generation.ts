import { getHeapStatistics } from 'node:v8';

/** Bytes of payload between two collections. A received payload of some size takes several times as much to assemble. */
const EVERY_BYTES = 4 << 20;

/** What survived may grow by so many bytes before everything is collected. */
const SURVIVED_BYTES = 4 << 20;
/** Of a larger heap V8 itself decides, which then marks it in small pieces: at once it would take too long. */
const SMALL_HEAP_BYTES = 48 << 20;

/** V8's collector, where the process was started with `--expose-gc`. */
type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

/**
 * Counts payloads and collects the young generation every few MiB of them: a fraction of a millisecond, which frees the
 * payloads that are done with. Otherwise memory outside of V8's heap grows until V8 runs a full collection, of several
 * milliseconds, for every few messages of 1 MiB.
 *
 * Since V8 then sees no reason for full collections, what outlives a few young ones (records of partitions that moved to
 * disk, say) piles up. So everything is collected once a small heap has grown by a few MiB.
 */
export class YoungGeneration {
  readonly #collect: Collect;
  readonly #usedHeap: () => number;
  #bytes = 0;
  #survived = 0;

  /** @param usedHeap bytes in use in V8's heap */
  constructor(collect: Collect, usedHeap: () => number) {
    this.#collect = collect;
    this.#usedHeap = usedHeap;
  }

  /** Payload that came or went. */
  payload(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < EVERY_BYTES) return;
    this.#bytes = 0;
    this.#collect({ type: 'minor' });
    const used = this.#usedHeap();
    if (used > SMALL_HEAP_BYTES || used < this.#survived + SURVIVED_BYTES) return;
    this.#collect({ type: 'major' });
    this.#survived = this.#usedHeap();
  }
}

let shared: YoungGeneration | undefined;

/** What a connection of this process tells its payloads to; of no effect where the collector cannot be called. */
export function payloadListener(): (bytes: number) => void {
  const collect = globalThis.gc as Collect | undefined;
  if (!collect) return () => {};
  shared ??= new YoungGeneration(collect, () => getHeapStatistics().used_heap_size);
  const young = shared;
  return (bytes) => young.payload(bytes);
}
