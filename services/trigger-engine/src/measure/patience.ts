import { DisconnectedError, isTransient, type MonotonicClock, monotonicNow } from '@tidegate/bus';
import { BusyError } from '@tidegate/protocol';

/**
 * How long raw-services that do not answer are waited for. One that says BUSY is alive, and while the own connection is
 * lost nobody can answer: neither uses the patience up.
 */
export class Patience {
  readonly #limitMs: number;
  readonly #now: MonotonicClock;
  #silentSince: number;

  constructor(limitMs: number, now: MonotonicClock = monotonicNow) {
    this.#limitMs = limitMs;
    this.#now = now;
    this.#silentSince = now();
  }

  /** Somebody answered. */
  renew(): void {
    this.#silentSince = this.#now();
  }

  /** Takes note of a failed attempt. @returns false where another one is in vain */
  outlasts(error: unknown): boolean {
    if (!isTransient(error)) return false;
    if (error instanceof BusyError || error instanceof DisconnectedError) this.renew();
    return this.#now() - this.#silentSince < this.#limitMs;
  }
}
