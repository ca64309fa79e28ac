import { monotonicNow } from '@tidegate/bus';
import type { Region } from './region-planner.js';

/** How long a get waits. */
export interface WaitOptions {
  /** Milliseconds to wait for the region to become covered. */
  readonly waitMs: number;
  /** Monotonic milliseconds up to which it is tried, after the wait. */
  readonly deadline: number;
}

export interface RegionWaitsOptions<T> {
  /** Plans and reads a region; asks for its plan after it was called. */
  readonly read: (region: Region, options: WaitOptions) => Promise<T>;
  /** Called with what was read each time that it was handed to one of several; the next one gets it after that. */
  readonly pace?: (value: T) => Promise<void> | undefined;
}

interface Reader<T> {
  /** Monotonic milliseconds, as is `deadline`. */
  readonly waitUntil: number;
  readonly deadline: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (value: T | Promise<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** Equal gets: a read for some of them is under way, the others have gathered for the next one. */
interface Queue<T> {
  readonly region: Region;
  gathered: Set<Reader<T>>;
}

/** Longest time-out that Node's timers take. */
const MAX_DELAY_MS = 0x7fffffff;

/**
 * Lets equal gets that wait share their work: of one region at most one read is under way, and who comes meanwhile
 * shares the next one. That is planned after the last of them came, so each of them gets the newest data of every cell
 * that was acknowledged before it asked, as if it had come alone. A thousand readers cost two plans and two reads.
 */
export class RegionWaits<T> {
  readonly #options: RegionWaitsOptions<T>;
  readonly #queues = new Map<string, Queue<T>>();

  constructor(options: RegionWaitsOptions<T>) {
    this.#options = options;
  }

  /** What `read` gives, which others may be given, too. Errors: those of `read`. */
  get(region: Region, options: WaitOptions): Promise<T> {
    const { variable, run, step, box } = region;
    // The whole record: the variable may be deleted and declared anew while somebody waits for the old one.
    const key = JSON.stringify([variable.record, run, step, box]);
    const queue = this.#queues.get(key);
    return queue === undefined ? this.#lead(key, region, options) : this.#gather(queue, options);
  }

  async #lead(key: string, region: Region, options: WaitOptions): Promise<T> {
    const queue: Queue<T> = { region, gathered: new Set() };
    this.#queues.set(key, queue);
    try {
      return await this.#options.read(region, options);
    } finally {
      this.#drain(key, queue);
    }
  }

  #gather({ region, gathered }: Queue<T>, options: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const { waitMs, deadline } = options;
      const ended = (): void => {
        gathered.delete(reader);
        // Of whatever is under way it is not known what is missing: it asks for itself, with the least wait that there is.
        resolve(this.#options.read(region, { waitMs: 1, deadline }));
      };
      const timer = setTimeout(ended, Math.min(waitMs, MAX_DELAY_MS));
      const reader: Reader<T> = { waitUntil: monotonicNow() + waitMs, deadline, timer, resolve, reject };
      gathered.add(reader);
    });
  }

  /** Reads for those who gathered, until nobody does. */
  #drain(key: string, queue: Queue<T>): void {
    const readers = queue.gathered;
    if (readers.size === 0) {
      this.#queues.delete(key);
      return;
    }
    queue.gathered = new Set();
    const next = (): void => this.#drain(key, queue);
    this.#serve(queue.region, readers).then(next, next);
  }

  async #serve(region: Region, readers: ReadonlySet<Reader<T>>): Promise<void> {
    let waitUntil = 0;
    let deadline = 0;
    for (const reader of readers) {
      waitUntil = Math.max(waitUntil, reader.waitUntil);
      deadline = Math.max(deadline, reader.deadline);
    }
    try {
      const value = await this.#options.read(region, { waitMs: Math.max(1, waitUntil - monotonicNow()), deadline });
      for (const reader of readers) clearTimeout(reader.timer);
      for (const reader of readers) {
        reader.resolve(value);
        const pause = this.#options.pace?.(value);
        if (pause) await pause;
      }
    } catch (error) {
      for (const reader of readers) {
        clearTimeout(reader.timer);
        reader.reject(error);
      }
    }
  }
}
