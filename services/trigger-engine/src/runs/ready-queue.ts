import type { PartitionAddress } from '../measure/index.js';

/** What is to be decided: a step, or one partition of it. */
export interface Due {
  readonly step: number;
  readonly partition?: PartitionAddress;
}

/** What tells it from all others of its trigger and run, within an epoch. */
export function dueKey({
  step,
  partition,
}: {
  readonly step: number;
  readonly partition?: { readonly id: string };
}): string {
  return partition === undefined ? String(step) : `${step}/${partition.id}`;
}

/** What is due, the lowest step first, those of one step in the order in which they came. */
export class ReadyQueue {
  readonly #byKey = new Map<string, Due>();
  /** Rising by step; `#from` is the position of the first that is still there. */
  #order: Due[] = [];
  #from = 0;

  get size(): number {
    return this.#byKey.size;
  }

  has(due: Due): boolean {
    return this.#byKey.has(dueKey(due));
  }

  /** True where anything of this step is due. */
  hasStep(step: number): boolean {
    const due = this.#order[this.#position(step)];
    return due?.step === step;
  }

  /** @returns false where it is there already */
  add(due: Due): boolean {
    const key = dueKey(due);
    if (this.#byKey.has(key)) return false;
    this.#byKey.set(key, due);
    const last = this.#order.at(-1);
    if (last === undefined || this.#from === this.#order.length || last.step <= due.step) this.#order.push(due);
    else this.#order.splice(this.#position(due.step + 1), 0, due);
    return true;
  }

  delete(due: Due): void {
    const key = dueKey(due);
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    this.#byKey.delete(key);
    const at = this.#order.indexOf(known, this.#position(due.step));
    if (at === this.#from) this.#from++;
    else this.#order.splice(at, 1);
    if (this.#from > 1024 && this.#from * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#from);
      this.#from = 0;
    }
  }

  /** The first ones, at most `count`. */
  first(count: number): readonly Due[] {
    return this.#order.slice(this.#from, this.#from + count);
  }

  /** Forgets what is due above a step. */
  deleteAbove(step: number): void {
    const at = this.#position(step + 1);
    for (const due of this.#order.splice(at)) this.#byKey.delete(dueKey(due));
  }

  /** Position of the first one whose step is at least `step`. */
  #position(step: number): number {
    let low = this.#from;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle] as Due).step < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
