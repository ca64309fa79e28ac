import { type Box, intersect } from '@tidegate/geometry';
import type { PartitionAddress } from '../measure/index.js';
import { Barrier, type Question } from './barrier.js';
import { type Due, ReadyQueue } from './ready-queue.js';

/** A partition of a step. */
export interface Arrival extends PartitionAddress {
  readonly step: number;
}

/** What the shards hold of a run, as far as a trigger is on it. */
export interface Survey {
  /** Steps of which anything is staged. */
  readonly staged: ReadonlySet<number>;
  /** Steps that cover the box. */
  readonly covered: Iterable<number>;
  /** With `when: partition` instead: what is staged in the box. */
  readonly partitions: Iterable<Arrival>;
}

/** A question to the shards about a step. */
export interface Asked {
  readonly barrier: Barrier;
  readonly question: Question;
}

export interface ArrivalsOptions {
  /** The trigger's. */
  readonly box: Box;
  readonly byPartition: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Steps that have begun and are counted at a time. */
const BEGUN_LIMIT = 4096;

/**
 * What has arrived of one run in a trigger's box and is not decided: the steps that have begun, and what is ready to be
 * decided. Pure bookkeeping: it says when the shards are to be asked, and takes their answers.
 */
export class Arrivals {
  readonly ready = new ReadyQueue();
  readonly #options: ArrivalsOptions;
  readonly #barriers = new Map<number, Barrier>();
  /** Steps of which something was staged before it was told of everything, and that were not covered then. */
  #uncertain = new Set<number>();
  #uncertainSince = -Infinity;
  #surveyed = false;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Nothing has begun and nothing is ready. */
  get empty(): boolean {
    return this.#barriers.size === 0 && this.ready.size === 0;
  }

  /** A partition was indexed; one that is decided must not be told. */
  arrive(arrival: Arrival): void {
    const { box, byPartition, now } = this.#options;
    if (intersect(arrival.box, box) === undefined) return;
    if (byPartition) {
      const { step, id, raw, bytes } = arrival;
      this.ready.add({ step, partition: { id, box: arrival.box, raw, bytes } });
      return;
    }
    const barrier = this.#barriers.get(arrival.step);
    if (this.ready.hasStep(arrival.step)) {
      // Nobody counts for it, unless it is being asked for at this moment.
      if (barrier?.asking) barrier.arrive(arrival.box, now());
      return;
    }
    const counting = barrier ?? this.#begin(arrival.step);
    counting.arrive(arrival.box, now());
    if (counting.full) this.#complete(counting);
  }

  /**
   * The shards have told what they hold.
   *
   * @param isDecided so that what is decided does not come back
   */
  survey({ staged, covered, partitions }: Survey, isDecided: (due: Due) => boolean): void {
    this.#surveyed = true;
    this.#uncertain = new Set(staged);
    this.#uncertainSince = this.#options.now();
    for (const { step, ...partition } of partitions) {
      const due = { step, partition };
      if (!isDecided(due)) this.ready.add(due);
    }
    for (const step of covered) {
      this.#uncertain.delete(step);
      if (isDecided({ step }) || this.ready.hasStep(step)) continue;
      this.#barriers.delete(step);
      this.ready.add({ step });
    }
    for (const step of this.#uncertain) if (isDecided({ step })) this.#uncertain.delete(step);
    for (const barrier of this.#barriers.values()) {
      if (this.#uncertain.has(barrier.step)) barrier.doubt();
      else barrier.trust();
    }
  }

  /** Some arrivals were not told: a new survey is needed before anything can be counted again. */
  lostTrack(): void {
    this.#surveyed = false;
    for (const barrier of this.#barriers.values()) barrier.doubt();
  }

  /** Steps that have begun and of which the shards must be asked what is missing. */
  *doubtful(): Generator<number> {
    if (!this.#surveyed) return;
    for (const { known, asking, step } of this.#barriers.values()) {
      if (!known && !asking && !this.ready.hasStep(step)) yield step;
    }
  }

  /** The shards are being asked for a step. */
  ask(step: number): Asked {
    const barrier = this.#barriers.get(step) ?? this.#begin(step);
    return { barrier, question: barrier.ask() };
  }

  /**
   * The shards answered.
   *
   * @param missing what a step that is not covered lacks; none where they did not answer, or it is covered
   */
  answer({ barrier, question }: Asked, missing: readonly Box[] | undefined): void {
    barrier.answer(question, missing);
    const { step } = barrier;
    if (missing === undefined || this.#barriers.get(step) !== barrier) return;
    this.#uncertain.delete(step);
    if (barrier.full) this.#complete(barrier);
    else this.ready.delete({ step });
  }

  /** Nothing more is to be decided of it: it is decided, or gone for good. */
  done(due: Due): void {
    this.ready.delete(due);
    if (due.partition !== undefined) return;
    this.#barriers.delete(due.step);
    this.#uncertain.delete(due.step);
  }

  /** Forgets what turns out to be decided already. */
  dropDecided(isDecided: (due: Due) => boolean): void {
    for (const due of this.ready.first(this.ready.size)) if (isDecided(due)) this.done(due);
    for (const step of [...this.#barriers.keys()]) if (isDecided({ step })) this.done({ step });
  }

  /** Steps above this one were rolled back. */
  rollBack(toStep: number): void {
    this.ready.deleteAbove(toStep);
    for (const step of this.#barriers.keys()) if (step > toStep) this.#barriers.delete(step);
  }

  /** The steps that have begun and are not covered, with the time of their last arrival. */
  *begun(): Generator<{ readonly step: number; readonly lastArrival: number }> {
    for (const barrier of this.#barriers.values()) if (!this.ready.hasStep(barrier.step)) yield barrier;
    for (const step of this.#uncertain) {
      if (!this.#barriers.has(step)) yield { step, lastArrival: this.#uncertainSince };
    }
  }

  /** Whether something of a step may be to be decided although nothing more arrives. */
  mayDecide(step: number): boolean {
    if (this.ready.hasStep(step)) return true;
    const barrier = this.#barriers.get(step);
    return barrier !== undefined && (barrier.asking || !barrier.known || barrier.full);
  }

  #begin(step: number): Barrier {
    if (this.#barriers.size >= BEGUN_LIMIT) this.#dropOldest();
    const { box, now } = this.#options;
    const barrier = new Barrier(step, box, { known: this.#surveyed && !this.#uncertain.has(step), now: now() });
    this.#barriers.set(step, barrier);
    return barrier;
  }

  #complete(barrier: Barrier): void {
    if (!barrier.asking) this.#barriers.delete(barrier.step);
    this.ready.add({ step: barrier.step });
  }

  /** Makes room: the step that has waited longest is asked for when more of it arrives. */
  #dropOldest(): void {
    let oldest: Barrier | undefined;
    for (const barrier of this.#barriers.values()) {
      if (barrier.asking) continue;
      if (oldest === undefined || barrier.lastArrival < oldest.lastArrival) oldest = barrier;
    }
    if (oldest === undefined) return;
    this.#barriers.delete(oldest.step);
    this.#uncertain.add(oldest.step);
  }
}
