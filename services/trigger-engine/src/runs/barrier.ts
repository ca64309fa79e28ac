import { type Box, coalesce, subtractAll } from '@tidegate/geometry';

/** Missing boxes of a barrier before they are merged for the first time; later when there are twice as many as were left. */
const MERGE_ABOVE = 256;
/** Missing boxes beyond which it counts no further: the shards, which hold the truth, are asked instead. */
const MOST_MISSING = 4096;

/** A question to the shards that is not answered yet. */
export interface Question {
  readonly order: number;
  /** What arrived since it was asked. */
  readonly arrived: Box[];
}

/**
 * What a box still lacks at one step. It counts down with every partition that arrives; a partition that arrives twice, or
 * overlaps others, does no harm. When nothing is missing the shards have the last word, since a partition may be gone again:
 * between `ask` and `answer` what arrives is kept, so that the answer can be brought up to date.
 */
export class Barrier {
  readonly step: number;
  readonly #box: Box;
  #missing: readonly Box[];
  readonly #questions = new Set<Question>();
  /** Questions that were asked; order of the newest that was answered. */
  #asked = 0;
  #answered = 0;
  #mergeAbove = MERGE_ABOVE;
  #known: boolean;
  #lastArrival: number;

  /** @param known whether every partition of the step is told to it */
  constructor(step: number, box: Box, { known, now }: { readonly known: boolean; readonly now: number }) {
    this.step = step;
    this.#box = box;
    this.#missing = [box];
    this.#known = known;
    this.#lastArrival = now;
  }

  /** Monotonic milliseconds. */
  get lastArrival(): number {
    return this.#lastArrival;
  }

  /** False where partitions may have arrived that were not told to it: the shards must be asked. */
  get known(): boolean {
    return this.#known;
  }

  /** The shards were asked and have not answered. */
  get asking(): boolean {
    return this.#questions.size > 0;
  }

  /** Nothing is missing, as far as it can count. */
  get full(): boolean {
    return this.#missing.length === 0;
  }

  /** A partition was indexed. */
  arrive(box: Box, now: number): void {
    this.#lastArrival = now;
    for (const { arrived } of this.#questions) arrived.push(box);
    this.#subtract(box);
  }

  /** The count may have missed some arrivals. */
  doubt(): void {
    this.#known = false;
  }

  /** It was told of everything after all. */
  trust(): void {
    this.#known = true;
  }

  /** The shards are asked what is missing. */
  ask(): Question {
    const question = { order: ++this.#asked, arrived: [] };
    this.#questions.add(question);
    return question;
  }

  /**
   * The shards answered. Answers may come in another order than the questions: the newest question counts.
   *
   * @param missing what they said, not necessarily all of it; none where they did not answer
   */
  answer(question: Question, missing: readonly Box[] | undefined): void {
    if (!this.#questions.delete(question) || missing === undefined || question.order < this.#answered) return;
    this.#answered = question.order;
    this.#known = true;
    this.#missing = missing;
    for (const box of question.arrived) this.#subtract(box);
  }

  #subtract(box: Box): void {
    if (this.#missing.length === 0) return;
    this.#missing = subtractAll(this.#missing, box);
    if (this.#missing.length > this.#mergeAbove) {
      this.#missing = coalesce(this.#missing);
      this.#mergeAbove = Math.max(MERGE_ABOVE, 2 * this.#missing.length);
    }
    if (this.#missing.length > MOST_MISSING) {
      this.#missing = [this.#box];
      this.#known = false;
    }
  }
}
