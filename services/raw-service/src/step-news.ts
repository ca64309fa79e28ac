import { type Bus, monotonicNow } from '@tidegate/bus';
import { isStep, STEPS_SEEN_ALL, stepSeenSubject } from '@tidegate/protocol';
import type { PartitionStore } from './partition-store.js';

/** Repeated now and then, since a message to all may be lost: a late one only keeps an old step in memory longer. */
const REPEAT_MS = 5000;
/** Newest steps remembered for the repetition, one for each variable and run. */
const MAX_REMEMBERED = 10_000;
const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/**
 * Tells the other raw-services of steps that are new here, and hears theirs: the newest step counts for a variable and
 * run as a whole, whichever raw-service took it. One message a step and raw-service, not one a put.
 */
export class StepNews {
  readonly #bus: Bus;
  readonly #store: PartitionStore;
  readonly #newest = new Map<string, { readonly variable: string; readonly run: string; step: number; at: number }>();
  readonly #stops: (() => void)[] = [];

  constructor(bus: Bus, store: PartitionStore) {
    this.#bus = bus;
    this.#store = store;
    this.#stops.push(bus.listen(STEPS_SEEN_ALL, (data, subject) => this.#heard(data, subject)));
    const timer = setInterval(() => this.#repeat(), REPEAT_MS);
    this.#stops.push(() => clearInterval(timer));
  }

  /** A step that a put brought. */
  seen(variable: string, run: string, step: number): void {
    if (!this.#store.seenStep(variable, run, step)) return;
    this.#publish(variable, run, step);
    const key = `${variable} ${run}`;
    const newest = this.#newest.get(key);
    if (newest && newest.step >= step) return;
    this.#newest.delete(key);
    this.#newest.set(key, { variable, run, step, at: monotonicNow() });
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > MAX_REMEMBERED && oldest !== undefined) this.#newest.delete(oldest);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #publish(variable: string, run: string, step: number): void {
    this.#bus.publish(stepSeenSubject(variable, run), toUtf8.encode(String(step)));
  }

  #repeat(): void {
    const since = monotonicNow() - 2 * REPEAT_MS;
    for (const { variable, run, step, at } of this.#newest.values()) if (at > since) this.#publish(variable, run, step);
  }

  #heard(data: Uint8Array, subject: string): void {
    const [run = '', variable = ''] = subject.split('.').reverse();
    const step = Number(utf8.decode(data));
    if (isStep(step)) this.#store.seenStep(variable, run, step);
  }
}
