/** Steps with a constant distance: `first`, `first + stride`, … `last`. One step alone has the stride 0. */
interface Progression {
  first: number;
  last: number;
  stride: number;
}

/**
 * A set of steps as arithmetic progressions in rising order whose ranges do not overlap: steps that came at any regular
 * distance take the room of one, however many they are.
 */
export class StepSet {
  readonly #runs: Progression[] = [];

  /** Progressions that it takes. */
  get extent(): number {
    return this.#runs.length;
  }

  has(step: number): boolean {
    const run = this.#runs[this.#at(step)];
    return run !== undefined && contains(run, step);
  }

  add(step: number): void {
    const at = this.#at(step);
    const run = this.#runs[at];
    if (run === undefined || step > run.last) {
      this.#runs.splice(at + 1, 0, single(step));
      this.#join(at + 1);
      this.#join(at);
      return;
    }
    if (contains(run, step)) return;
    const before = run.first + Math.floor((step - run.first) / run.stride) * run.stride;
    const below = progression(run.first, before, run.stride);
    const above = progression(before + run.stride, run.last, run.stride);
    this.#runs.splice(at, 1, below, single(step), above);
    this.#join(at + 1);
    this.#join(at);
  }

  /** The highest step below `step`. */
  below(step: number): number | undefined {
    const at = this.#at(step - 1);
    const run = this.#runs[at];
    if (run === undefined) return undefined;
    if (step > run.last) return run.last;
    return run.first + Math.floor((step - 1 - run.first) / run.stride) * run.stride;
  }

  /** Forgets all steps above `step`. */
  removeAbove(step: number): void {
    const at = this.#at(step);
    this.#runs.length = at + 1;
    const run = this.#runs[at];
    if (run === undefined || step >= run.last) return;
    const last = run.first + Math.floor((step - run.first) / run.stride) * run.stride;
    this.#runs[at] = progression(run.first, last, run.stride);
  }

  /** Position of the last progression that begins at or below `step`; -1 for none. */
  #at(step: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as Progression).first <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Makes one of the progression at `at` and the next one where they go on in the same distance. */
  #join(at: number): void {
    const a = this.#runs[at];
    const b = this.#runs[at + 1];
    if (a === undefined || b === undefined) return;
    const gap = b.first - a.last;
    const fits = (a.stride === 0 || a.stride === gap) && (b.stride === 0 || b.stride === gap);
    if (fits) this.#runs.splice(at, 2, { first: a.first, last: b.last, stride: gap });
  }
}

function contains({ first, last, stride }: Progression, step: number): boolean {
  return step <= last && (stride === 0 ? step === first : (step - first) % stride === 0);
}

function single(step: number): Progression {
  return { first: step, last: step, stride: 0 };
}

function progression(first: number, last: number, stride: number): Progression {
  return { first, last, stride: first === last ? 0 : stride };
}
