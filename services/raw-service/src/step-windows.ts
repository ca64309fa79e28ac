import type { EvictionPolicy } from './eviction.js';
import { seriesKey } from './step-catalog.js';
import { StepWindow } from './step-window.js';

/** Most series that are followed; beyond it the one that was quiet for longest is forgotten. */
const MAX_SERIES = 65_536;

interface Series {
  readonly window: StepWindow;
  /** Which declaration of the variable it belongs to. */
  readonly declared: string;
  epoch: number;
}

/** A step that is held, and the newest epoch of its partitions. */
export interface HeldStep {
  readonly step: number;
  readonly epoch: number;
}

/**
 * The window of every variable and run. A series is begun from the steps that are held, so it needs no memory of its own
 * over restarts. A rollback makes lower steps the newest: a step of a later epoch throws out what lies above it, and
 * news of an earlier epoch is ignored. A variable that was deleted and declared anew begins anew.
 */
export class StepWindows {
  readonly #policy: (variable: string) => EvictionPolicy | undefined;
  readonly #held: (key: string) => Iterable<HeldStep>;
  readonly #series = new Map<string, Series>();

  /** @param held the steps of a series that are stored here, in any order */
  constructor(policy: (variable: string) => EvictionPolicy | undefined, held: (key: string) => Iterable<HeldStep>) {
    this.#policy = policy;
    this.#held = held;
  }

  /**
   * Takes notice of a step, stored here or told by others.
   *
   * @param epoch its epoch; absent if it is not known
   * @returns true if it is new to its window; false also while the variable's declaration is not known
   */
  seen(variable: string, run: string, step: number, epoch?: number): boolean {
    const key = seriesKey(variable, run);
    const series = this.#find(variable, key);
    if (series === undefined) return false;
    this.#series.delete(key);
    this.#series.set(key, series);
    return enter(series, step, epoch ?? series.epoch);
  }

  /** Steps of the series below it are outside its window; undefined while the window is not full or not known. */
  floor(variable: string, run: string): number | undefined {
    return this.#find(variable, seriesKey(variable, run))?.window.floor();
  }

  /** The epoch that the window stands in. */
  epoch(variable: string, run: string): number {
    return this.#find(variable, seriesKey(variable, run))?.epoch ?? 0;
  }

  #find(variable: string, key: string): Series | undefined {
    const policy = this.#policy(variable);
    const standing = this.#series.get(key);
    const declared = policy?.createdAt ?? '';
    if (policy === undefined || (standing !== undefined && standing.declared !== declared)) this.#series.delete(key);
    else if (standing !== undefined) return standing;
    if (policy === undefined) return undefined;
    const series: Series = { window: new StepWindow(policy.window), declared, epoch: 0 };
    const steps = [...this.#held(key)].sort((a, b) => a.epoch - b.epoch || a.step - b.step);
    for (const { step, epoch } of steps) enter(series, step, epoch);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
    return series;
  }
}

function enter(series: Series, step: number, epoch: number): boolean {
  if (epoch < series.epoch) return false;
  if (epoch > series.epoch) {
    series.window.forgetAbove(step);
    series.epoch = epoch;
  }
  return series.window.seen(step);
}
