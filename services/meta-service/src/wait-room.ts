import { BusyError } from '@tidegate/protocol';

/** Why a wait ended. `lost`: one of its shards is not owned any more. */
export type WakeCause = 'changed' | 'timeout' | 'lost';

/** Longest time-out that Node's timers take. */
const MAX_DELAY_MS = 0x7fffffff;
const RETRY_MS = 100;

/** One request that waits. */
export interface Wait {
  readonly shards: readonly number[];
  /** Fulfilled once; never rejected. */
  readonly ended: Promise<WakeCause>;
  wake(cause: WakeCause): void;
}

/** All requests that wait in this process: a bounded number, each until its deadline at most. */
export class WaitRoom {
  readonly #limit: number;
  readonly #waits = new Set<Wait>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waits.size;
  }

  /**
   * Begins a wait on behalf of a request that meant `shards`.
   *
   * @throws BusyError when as many wait as may
   */
  enter(shards: readonly number[], waitMs: number): Wait {
    if (this.#waits.size >= this.#limit) {
      throw new BusyError(`expected at most ${this.#limit} waiting requests, all of them are taken`, RETRY_MS);
    }
    const { promise, resolve } = Promise.withResolvers<WakeCause>();
    const wake = (cause: WakeCause) => {
      if (!this.#waits.delete(wait)) return;
      clearTimeout(timer);
      resolve(cause);
    };
    const wait: Wait = { shards, ended: promise, wake };
    const timer = setTimeout(wake, Math.min(Math.max(0, waitMs), MAX_DELAY_MS), 'timeout');
    this.#waits.add(wait);
    return wait;
  }

  /** Ends the waits that meant this shard. */
  loseShard(shard: number): void {
    for (const wait of this.#waits) if (wait.shards.includes(shard)) wait.wake('lost');
  }

  /** Ends all waits. */
  close(): void {
    for (const wait of this.#waits) wait.wake('lost');
  }
}
