import type { Stamp } from './names.js';

const COUNTER = 1024;

/**
 * Hybrid logical clock (Kulkarni et al. 2014) packed into one safe integer: milliseconds x 1024 + counter. It never
 * runs backwards, and a value received from elsewhere pushes it forward, so "begun after an acknowledgement" implies
 * "larger", whatever the hosts' wall clocks say. The packing lasts until the year 2248.
 *
 * @param wallClock milliseconds since 1970, passed in so that tests can hold or skew it
 */
export class HybridClock {
  #last = 0;
  readonly #wallClock: () => number;

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
  }

  /** A stamp larger than every stamp that this clock gave or received. */
  next(): Stamp {
    const wall = Math.floor(this.#wallClock()) * COUNTER;
    this.#last = wall > this.#last ? wall : this.#last + 1;
    return this.#last as Stamp;
  }

  /** Moves the clock past a stamp that was seen elsewhere. */
  receive(stamp: Stamp): void {
    if (stamp > this.#last) this.#last = stamp;
  }
}

/** Order of two partitions that overlap: positive where `a` is newer. The id breaks ties between equal stamps. */
export function compareAge(
  a: { readonly stamp: number; readonly id: string },
  b: { readonly stamp: number; readonly id: string },
): number {
  if (a.stamp !== b.stamp) return a.stamp - b.stamp;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
