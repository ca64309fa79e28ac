/** Bytes of payload between two collections. A received payload of some size takes several times as much to assemble. */
const EVERY_BYTES = 4 << 20;

/** V8's collector, where the process was started with `--expose-gc`. */
type Collect = (options: { readonly type: 'minor' }) => void;

/**
 * Counts payloads and collects the young generation every few MiB of them: a fraction of a millisecond, which frees the
 * payloads that are done with. Otherwise memory outside of V8's heap grows until V8 runs a full collection, of several
 * milliseconds, for every few messages of 1 MiB.
 */
export class YoungGeneration {
  readonly #collect: Collect;
  #bytes = 0;

  constructor(collect: Collect) {
    this.#collect = collect;
  }

  /** Payload that came or went. */
  payload(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < EVERY_BYTES) return;
    this.#bytes = 0;
    this.#collect({ type: 'minor' });
  }
}

let shared: YoungGeneration | undefined;

/** What a connection of this process tells its payloads to; of no effect where the collector cannot be called. */
export function payloadListener(): (bytes: number) => void {
  const collect = globalThis.gc as Collect | undefined;
  if (!collect) return () => {};
  shared ??= new YoungGeneration(collect);
  const young = shared;
  return (bytes) => young.payload(bytes);
}
