import type { RunEpochs } from '../runs/run-epochs.js';
import { StepSet } from '../runs/step-set.js';

interface Decided {
  readonly step: number;
  readonly epoch: number;
  readonly partition?: string;
}

/** What is decided of one trigger and run: steps, or the partitions of steps, of every epoch. */
export class DecidedSet {
  readonly #steps = new Map<number, StepSet>();
  readonly #partitions = new Set<string>();
  /** Steps below it are taken for decided: the log may have dropped their decisions. */
  #floor = 0;

  add({ step, epoch, partition }: Decided): void {
    if (partition !== undefined) {
      this.#partitions.add(partition);
      return;
    }
    let steps = this.#steps.get(epoch);
    if (steps === undefined) {
      steps = new StepSet();
      this.#steps.set(epoch, steps);
    }
    steps.add(step);
  }

  has({ step, epoch, partition }: Decided): boolean {
    if (step < this.#floor) return true;
    if (partition !== undefined) return this.#partitions.has(partition);
    return this.#steps.get(epoch)?.has(step) === true;
  }

  /** The log was full, with nothing below this step: what is lower was decided and dropped. */
  raiseFloor(step: number): void {
    this.#floor = Math.max(this.#floor, step);
  }

  /** The newest step below `step` that is decided and was not superseded since. */
  below(step: number, epochs: RunEpochs): number | undefined {
    let end = step;
    for (const { epoch, above } of epochs.segments) {
      if (above >= end - 1) continue;
      const found = this.#steps.get(epoch)?.below(end);
      if (found !== undefined && found > above) return found;
      end = above + 1;
    }
    return undefined;
  }
}
