import { type RunRecord, standingRollbacks } from '@tidegate/protocol';

/** Steps above `above`, up to where a later segment begins, are of this epoch. */
interface Segment {
  readonly epoch: number;
  readonly above: number;
}

/** Which epoch each step of one variable in one run belongs to. */
export class RunEpochs {
  /** Epoch of the run: that of its newest rollback, whichever variables that concerned. */
  readonly newest: number;
  /** Falling, by epoch and by step; the last one begins at step 0. */
  readonly segments: readonly Segment[];

  constructor(run: RunRecord | undefined, variable: string) {
    this.newest = run?.epoch ?? 0;
    const segments: Segment[] = [];
    let lowest = Infinity;
    for (const { epoch, toStep, variables } of standingRollbacks(run).toReversed()) {
      if (variables !== undefined && !variables.includes(variable)) continue;
      if (toStep >= lowest) continue;
      segments.push({ epoch, above: toStep });
      lowest = toStep;
    }
    segments.push({ epoch: 0, above: -1 });
    this.segments = segments;
  }

  /** True where the variable was rolled back at least once. */
  get rolledBack(): boolean {
    return this.segments.length > 1;
  }

  epochOf(step: number): number {
    for (const { epoch, above } of this.segments) if (step > above) return epoch;
    return 0;
  }

  /** The lowest step whose epoch is another one in `later`; undefined where every step kept its own. */
  firstChanged(later: RunEpochs): number | undefined {
    let first: number | undefined;
    for (const { above } of [...this.segments, ...later.segments]) {
      const step = above + 1;
      if (this.epochOf(step) !== later.epochOf(step)) first = Math.min(first ?? step, step);
    }
    return first;
  }
}
