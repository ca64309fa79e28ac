import type { RollbackRecord } from '@tidegate/protocol';
import type { Region } from './region.js';
import { RegionCoverage } from './region-coverage.js';
import { StepIndex } from './step-index.js';

/** Regions whose coverage stays counted although nobody waits for it now: the same ones are asked for again and again. */
const IDLE_REGIONS = 16;

/** The steps of one run of a variable, and the coverage of the regions that someone asked for. */
export class RunIndex {
  readonly run: string;
  /** Steps below it were dropped by the window, where nothing is staged. */
  floor = 0;
  /** Of the last rollback that was heard of. */
  #epoch = 0;
  readonly #steps = new Map<number, StepIndex>();
  /** Numbers of the steps with any partition, rising. */
  readonly #staged: number[] = [];
  readonly #coverages = new Map<string, RegionCoverage>();
  readonly #followed = new Set<RegionCoverage>();
  /** Those that nobody waits for, the one idle longest first. */
  readonly #idle = new Set<RegionCoverage>();

  constructor(run: string) {
    this.run = run;
  }

  /** Numbers of the steps with any partition, rising. A live list: it changes with the index. */
  get staged(): readonly number[] {
    return this.#staged;
  }

  /** True while nothing is staged and nobody waits. */
  get idle(): boolean {
    if (this.#steps.size > 0 || this.floor > 0) return false;
    return this.#coverages.size === this.#idle.size;
  }

  step(step: number): StepIndex | undefined {
    return this.#steps.get(step);
  }

  steps(): IterableIterator<StepIndex> {
    return this.#steps.values();
  }

  /** True where the step was dropped and nothing of it is staged: waiting for it is in vain. */
  isDropped(step: number): boolean {
    return step < this.floor && (this.#steps.get(step)?.size ?? 0) === 0;
  }

  /** The step, made where it is not there: for `change` and for waits. */
  openStep(step: number): StepIndex {
    let index = this.#steps.get(step);
    if (index === undefined) {
      index = new StepIndex(step);
      this.#steps.set(step, index);
    }
    return index;
  }

  /** Runs a change of one step and keeps the list of steps and the followers up with it. */
  change<T>(step: number, edit: (index: StepIndex) => T): T {
    const index = this.openStep(step);
    const before = index.size;
    const result = edit(index);
    if (before === 0 && index.size > 0) this.#enlist(step);
    if (before > 0 && index.size === 0) this.#delist(step);
    if (index.size > 0) {
      for (const coverage of this.#followed) {
        if (index.heard(coverage) === undefined && coverage.covers(index)) coverage.changed(step);
      }
    }
    this.closeStep(index);
    return result;
  }

  /** Lets a step go that has no partition and no listener. */
  closeStep(index: StepIndex): void {
    if (index.size === 0) for (const coverage of this.#coverages.values()) coverage.release(index);
    if (index.idle && this.#steps.get(index.step) === index) this.#steps.delete(index.step);
  }

  #enlist(step: number): void {
    const last = this.#staged.at(-1);
    if (last === undefined || step > last) this.#staged.push(step);
    else this.#staged.splice(lowerBound(this.#staged, step), 0, step);
  }

  #delist(step: number): void {
    const at = lowerBound(this.#staged, step);
    if (this.#staged[at] === step) this.#staged.splice(at, 1);
  }

  /** Raises the floor; waits for steps below it end where nothing is staged. */
  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    this.floor = floor;
    for (const index of this.#steps.values()) {
      if (index.size > 0 || index.step >= floor) continue;
      for (const coverage of this.#coverages.values()) coverage.wakeStep(index);
    }
  }

  /** A rollback lets steps above `toStep` come anew. One that was heard of before is none. */
  rollBack({ epoch, toStep }: RollbackRecord): void {
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.floor = Math.min(this.floor, toStep + 1);
  }

  /**
   * The coverage of a region: the same object for the same region as long as it is in use, or among the last ones that
   * were. Close it after use.
   *
   * @param follow counts every step of the run, not only those that someone waits for
   */
  coverage(region: Region, follow: boolean): RegionCoverage {
    let coverage = this.#coverages.get(region.key);
    if (coverage === undefined) {
      coverage = new RegionCoverage(region);
      this.#coverages.set(region.key, coverage);
    }
    this.#idle.delete(coverage);
    if (follow && !coverage.followed) {
      coverage.followed = true;
      this.#followed.add(coverage);
    }
    return coverage;
  }

  closeCoverage(coverage: RegionCoverage): void {
    if (coverage.busy || this.#coverages.get(coverage.region.key) !== coverage) return;
    this.#idle.add(coverage);
    if (this.#idle.size <= IDLE_REGIONS) return;
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    oldest.dispose();
    this.#idle.delete(oldest);
    this.#followed.delete(oldest);
    this.#coverages.delete(oldest.region.key);
  }

  /** Ends all waits on this run. */
  wakeAll(): void {
    for (const coverage of this.#coverages.values()) coverage.wakeAll();
  }
}

/** Position of the first number that is at least `value`. */
export function lowerBound(rising: readonly number[], value: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
