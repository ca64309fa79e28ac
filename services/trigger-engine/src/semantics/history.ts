import { type CheckValue, decodeNumber, encodeNumber, type WireNumber } from './check-value.js';

/** One value of a check and the step that it belongs to. */
export type HistoryEntry = readonly [step: number, value: WireNumber];
/** Values of the steps before this one, newest first, by the check's name. Plain JSON. */
export type History = Readonly<Record<string, readonly HistoryEntry[]>>;

/** The values of one check that an expression sees as `history.<check>`: this step's first, then those before it. */
export interface Series {
  readonly values: readonly number[];
  readonly steps: readonly number[];
}

/** What `seriesOf` and `extendHistory` need to know of a step. */
export interface HistoryStep {
  readonly step: number;
  readonly values: ReadonlyMap<string, CheckValue>;
  /** Checks that the history is kept of. */
  readonly tracked: readonly string[];
  /** Most values of a series, this step's included. */
  readonly depth: number;
}

/**
 * The series of the tracked checks at a step. Entries of later steps are left out, so that a late step sees what it would
 * have seen in time. A check without a number at this step has no series: its newest value is not known.
 */
export function seriesOf(history: History, { step, values, tracked, depth }: HistoryStep): Map<string, Series> {
  const series = new Map<string, Series>();
  for (const name of tracked) {
    const value = values.get(name);
    if (typeof value !== 'number') continue;
    const before = (history[name] ?? []).filter(([then]) => then < step).slice(0, depth - 1);
    series.set(name, {
      values: [value, ...before.map(([, then]) => decodeNumber(then))],
      steps: [step, ...before.map(([then]) => then)],
    });
  }
  return series;
}

/** The history that the next step finds: this step's numbers in front, cut to what a series of `depth` needs. */
export function extendHistory(history: History, { step, values, tracked, depth }: HistoryStep): History {
  const next: Record<string, readonly HistoryEntry[]> = {};
  for (const name of tracked) {
    const value = values.get(name);
    const before = history[name] ?? [];
    const entries: readonly HistoryEntry[] =
      typeof value === 'number' ? [[step, encodeNumber(value)] as const, ...before].slice(0, depth - 1) : before;
    if (entries.length > 0) next[name] = entries;
  }
  return next;
}
