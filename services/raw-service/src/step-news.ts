import { type Bus, monotonicNow } from '@tidegate/bus';
import { isStep, type PartitionRecord, STEPS_SEEN_ALL, stepSeenSubject } from '@tidegate/protocol';
import type { PartitionStore } from './partition-store.js';

/** Repeated now and then, since a message to all may be lost: a late one only keeps an old step in memory longer. */
const REPEAT_MS = 5000;
/** Newest steps remembered for the repetition, one for each variable and run. */
const MAX_REMEMBERED = 10_000;
const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** A step of a variable and run, and the epoch of its data. */
export type StepName = Pick<PartitionRecord, 'variable' | 'run' | 'step' | 'epoch'>;

/**
 * Tells the other raw-services of steps that are new here, and hears theirs: the newest step counts for a variable and
 * run as a whole, whichever raw-service took it. One message a step and raw-service, not one a put.
 */
export class StepNews {
  readonly #bus: Bus;
  readonly #store: PartitionStore;
  readonly #newest = new Map<string, StepName & { readonly at: number }>();
  readonly #stops: (() => void)[] = [];

  constructor(bus: Bus, store: PartitionStore) {
    this.#bus = bus;
    this.#store = store;
    this.#stops.push(bus.listen(STEPS_SEEN_ALL, (data, subject) => this.#heard(data, subject)));
    const timer = setInterval(() => this.#repeat(), REPEAT_MS);
    this.#stops.push(() => clearInterval(timer));
  }

  /** A step that a put brought. */
  seen({ variable, run, step, epoch }: StepName): void {
    if (!this.#store.seenStep(variable, run, step, epoch)) return;
    this.#publish({ variable, run, step, epoch });
    const key = `${variable} ${run}`;
    const newest = this.#newest.get(key);
    if (newest && newest.epoch === epoch && newest.step >= step) return;
    this.#newest.delete(key);
    this.#newest.set(key, { variable, run, step, epoch, at: monotonicNow() });
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > MAX_REMEMBERED && oldest !== undefined) this.#newest.delete(oldest);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #publish({ variable, run, step, epoch }: StepName): void {
    this.#bus.publish(stepSeenSubject(variable, run), toUtf8.encode(`${step} ${epoch}`));
  }

  #repeat(): void {
    const since = monotonicNow() - 2 * REPEAT_MS;
    for (const newest of this.#newest.values()) if (newest.at > since) this.#publish(newest);
  }

  #heard(data: Uint8Array, subject: string): void {
    const [run = '', variable = ''] = subject.split('.').reverse();
    const [step, epoch] = utf8.decode(data).split(' ').map(Number);
    if (isStep(step) && isStep(epoch)) this.#store.seenStep(variable, run, step, epoch);
  }
}
