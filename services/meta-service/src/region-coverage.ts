import type { Region } from './region.js';
import type { CoverageListener, StepIndex } from './step-index.js';
import type { Wait } from './wait-room.js';

/** Different questions about one region whose answers are kept. */
const LISTS = 64;

/** What a request for covered steps asks of a region. */
export interface StepsAsked {
  readonly after: number;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
}

/**
 * Coverage of one region in the steps of one run: who waits for a step to cover it, who follows the list of steps that
 * do, and the answers that they share until it changes.
 */
export class RegionCoverage implements CoverageListener {
  readonly region: Region;
  /** Someone asked for covered steps: new steps of the run are counted from their first partition. */
  followed = false;
  readonly #listening = new Set<StepIndex>();
  readonly #waits = new Map<StepIndex, Set<Wait>>();
  readonly #followers = new Map<Wait, number>();
  readonly #lists = new Map<string, unknown>();

  constructor(region: Region) {
    this.region = region;
  }

  /** True while someone waits for, or follows, this region. */
  get busy(): boolean {
    return this.#waits.size > 0 || this.#followers.size > 0;
  }

  /** Whether the step covers the region. */
  covers(step: StepIndex): boolean {
    const known = step.heard(this);
    if (known !== undefined) return known;
    this.#listening.add(step);
    return step.listen(this);
  }

  coverageChanged(step: StepIndex, covered: boolean): void {
    this.changed(step.step);
    if (!covered) return;
    const waits = this.#waits.get(step);
    if (waits) for (const wait of waits) wait.wake('changed');
  }

  /** The list of covered steps differs from now on. */
  changed(step: number): void {
    this.#lists.clear();
    for (const [wait, after] of this.#followers) if (step > after) wait.wake('changed');
  }

  /** Ends all waits, for another reason than coverage. */
  wakeAll(): void {
    for (const waits of this.#waits.values()) for (const wait of waits) wait.wake('changed');
    for (const wait of this.#followers.keys()) wait.wake('changed');
  }

  /** Ends the waits for one step, which will not come. */
  wakeStep(step: StepIndex): void {
    const waits = this.#waits.get(step);
    if (waits) for (const wait of waits) wait.wake('changed');
  }

  /** Waits until the step covers the region, or another reason to look again. */
  async waitForStep(step: StepIndex, wait: Wait): Promise<Awaited<Wait['ended']>> {
    const waits = this.#waits.get(step) ?? new Set();
    this.#waits.set(step, waits.add(wait));
    if (this.covers(step)) wait.wake('changed');
    try {
      return await wait.ended;
    } finally {
      waits.delete(wait);
      if (waits.size === 0 && this.#waits.get(step) === waits) this.#waits.delete(step);
    }
  }

  /** Waits until the list of covered steps above `after` may differ. */
  async waitForList(after: number, wait: Wait): Promise<Awaited<Wait['ended']>> {
    this.#followers.set(wait, after);
    try {
      return await wait.ended;
    } finally {
      this.#followers.delete(wait);
    }
  }

  /** `make()`, or what it gave the last time if coverage is still the same. */
  sharedList<T>(asked: StepsAsked, make: () => T): T {
    const key = `${asked.order}/${asked.after}/${asked.limit}`;
    if (this.#lists.has(key)) return this.#lists.get(key) as T;
    const value = make();
    if (this.#lists.size >= LISTS) this.#lists.clear();
    this.#lists.set(key, value);
    return value;
  }

  /** Stops counting a step that is empty, unless someone waits for it. */
  release(step: StepIndex): void {
    if (this.#waits.has(step)) return;
    step.unlisten(this);
    this.#listening.delete(step);
  }

  /** Stops counting. */
  dispose(): void {
    for (const step of this.#listening) step.unlisten(this);
    this.#listening.clear();
    this.#lists.clear();
  }
}
