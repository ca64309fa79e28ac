import type { PartitionId, PartitionRecord } from '@tidegate/protocol';

/** The partitions of one (variable, run, step). */
export interface StepGroup {
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  /** Stamp of the partition that came first. */
  readonly stamp: number;
  readonly bytes: number;
  readonly partitions: ReadonlyMap<PartitionId, PartitionRecord>;
}

interface Group extends StepGroup {
  stamp: number;
  bytes: number;
  readonly partitions: Map<PartitionId, PartitionRecord>;
}

interface Series {
  readonly variable: string;
  readonly run: string;
  /** In rising order; steps mostly come and go in it, so both ends are cheap. */
  readonly steps: number[];
  readonly groups: Map<number, Group>;
}

/** Names a variable of a run. */
export function seriesKey(variable: string, run: string): string {
  return `${variable}.${run}`;
}

/** Partitions of one tier, by variable and run, then by step in order: what decides which of them leave it. */
export class StepCatalog {
  readonly #series = new Map<string, Series>();

  add(record: PartitionRecord): void {
    const { variable, run, step } = record;
    const key = seriesKey(variable, run);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { variable, run, steps: [], groups: new Map() };
      this.#series.set(key, series);
    }
    let group = series.groups.get(step);
    if (group === undefined) {
      group = { variable, run, step, stamp: record.stamp, bytes: 0, partitions: new Map() };
      series.groups.set(step, group);
      series.steps.splice(lowerBound(series.steps, step), 0, step);
    }
    if (group.partitions.has(record.id)) return;
    group.partitions.set(record.id, record);
    group.bytes += record.bytes;
    group.stamp = Math.min(group.stamp, record.stamp);
  }

  remove(record: PartitionRecord): void {
    const { variable, run, step } = record;
    const key = seriesKey(variable, run);
    const series = this.#series.get(key);
    const group = series?.groups.get(step);
    if (series === undefined || !group?.partitions.delete(record.id)) return;
    group.bytes -= record.bytes;
    if (group.partitions.size > 0) return;
    series.groups.delete(step);
    const at = lowerBound(series.steps, step);
    if (at === 0) series.steps.shift();
    else series.steps.splice(at, 1);
    if (series.steps.length === 0) this.#series.delete(key);
  }

  /** Keys of all series. */
  keys(): Iterable<string> {
    return this.#series.keys();
  }

  /** The steps of a series, in rising order; a view that changes with the catalog. */
  steps(key: string): readonly number[] {
    return this.#series.get(key)?.steps ?? [];
  }

  /** The groups of a series, oldest step first. */
  *groups(key: string): Generator<StepGroup> {
    const series = this.#series.get(key);
    if (series === undefined) return;
    for (const step of series.steps) {
      const group = series.groups.get(step);
      if (group !== undefined) yield group;
    }
  }
}

/** Place of the first step that is not below this one. */
function lowerBound(steps: readonly number[], step: number): number {
  // Steps come in rising order, so the end is the likely place.
  if (step > (steps.at(-1) ?? -1)) return steps.length;
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] ?? 0) < step) low = middle + 1;
    else high = middle;
  }
  return low;
}
