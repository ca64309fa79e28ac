import { monotonicNow, type Outgoing } from '@tidegate/bus';
import type { Region } from '@tidegate/client/region';
import { formatBox } from '@tidegate/geometry';

/** How long a get waits. */
export interface WaitOptions {
  /** Milliseconds to wait for the region to become covered. */
  readonly waitMs: number;
  /** Monotonic milliseconds up to which it is tried, after the wait. */
  readonly deadline: number;
}

export interface SharedWaitsOptions {
  /** Plans and reads a region, and makes the reply. What it plans with is asked for after it was called. */
  readonly read: (region: Region, options: WaitOptions) => Promise<Outgoing>;
  /** Settles when the server has taken what was sent. */
  readonly flush: () => Promise<void>;
}

interface Reader {
  /** Monotonic milliseconds, as is `deadline`. */
  readonly waitUntil: number;
  readonly deadline: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (reply: Outgoing) => void;
  readonly reject: (error: unknown) => void;
}

/** Equal gets: a read for some of them is under way, the others have gathered for the next one. */
interface Queue {
  readonly region: Region;
  gathered: Set<Reader>;
}

/** Longest time-out that Node's timers take. */
const MAX_DELAY_MS = 0x7fffffff;
/** Handed to replies between two waits for the server. */
const FLUSH_BYTES = 4 << 20;

/**
 * Lets equal gets that wait share their work: of one region at most one read is under way, and who comes meanwhile
 * shares the next one. That is planned after the last of them came, so each of them gets the newest data of every cell
 * that was acknowledged before it asked, as if it had come alone. A thousand readers cost two plans and two reads.
 */
export class SharedWaits {
  readonly #options: SharedWaitsOptions;
  readonly #queues = new Map<string, Queue>();

  constructor(options: SharedWaitsOptions) {
    this.#options = options;
  }

  /** The reply to one get; its `data` may be that of other gets, too. Errors: those of `read`. */
  get(region: Region, options: WaitOptions): Promise<Outgoing> {
    const { variable, run, step, box } = region;
    const key = `${variable.record.name} ${run} ${step} ${formatBox(box)}`;
    const queue = this.#queues.get(key);
    if (queue === undefined) return this.#lead(key, region, options);
    // The variable was deleted and declared anew while somebody waits for the old one.
    if (queue.region.variable !== variable) return this.#options.read(region, options);
    return this.#gather(queue, options);
  }

  async #lead(key: string, region: Region, options: WaitOptions): Promise<Outgoing> {
    const queue: Queue = { region, gathered: new Set() };
    this.#queues.set(key, queue);
    try {
      return await this.#options.read(region, options);
    } finally {
      this.#drain(key, queue);
    }
  }

  #gather({ region, gathered }: Queue, options: WaitOptions): Promise<Outgoing> {
    return new Promise((resolve, reject) => {
      const { waitMs, deadline } = options;
      const ended = (): void => {
        gathered.delete(reader);
        // Of whatever is under way it is not known what is missing: it asks for itself, with the least wait that there is.
        resolve(this.#options.read(region, { waitMs: 1, deadline }));
      };
      const timer = setTimeout(ended, Math.min(waitMs, MAX_DELAY_MS));
      const reader: Reader = { waitUntil: monotonicNow() + waitMs, deadline, timer, resolve, reject };
      gathered.add(reader);
    });
  }

  /** Reads for those who gathered, until nobody does. */
  #drain(key: string, queue: Queue): void {
    const readers = queue.gathered;
    if (readers.size === 0) {
      this.#queues.delete(key);
      return;
    }
    queue.gathered = new Set();
    const next = (): void => this.#drain(key, queue);
    this.#serve(queue.region, readers).then(next, next);
  }

  async #serve(region: Region, readers: ReadonlySet<Reader>): Promise<void> {
    let waitUntil = 0;
    let deadline = 0;
    for (const reader of readers) {
      waitUntil = Math.max(waitUntil, reader.waitUntil);
      deadline = Math.max(deadline, reader.deadline);
    }
    try {
      const reply = await this.#options.read(region, { waitMs: Math.max(1, waitUntil - monotonicNow()), deadline });
      for (const reader of readers) clearTimeout(reader.timer);
      let unflushed = 0;
      for (const reader of readers) {
        reader.resolve(reply);
        unflushed += reply.data.length;
        if (unflushed < FLUSH_BYTES) continue;
        unflushed = 0;
        await this.#options.flush();
      }
    } catch (error) {
      for (const reader of readers) {
        clearTimeout(reader.timer);
        reader.reject(error);
      }
    }
  }
}
