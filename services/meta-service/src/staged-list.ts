import { type Box, contains } from '@tidegate/geometry';
import { type ListReply, STEPS_LIMIT, type StepSelection, type StepSummary } from '@tidegate/protocol';
import { lowerBound, type RunIndex } from './run-index.js';
import type { StepIndex } from './step-index.js';
import type { VariableIndex } from './variable-index.js';

/** What a list is to contain; `run` undefined for all runs. */
export interface ListFilter {
  readonly run: string | undefined;
  readonly steps: StepSelection | undefined;
  readonly box: Box | undefined;
  readonly belowEpoch: number | undefined;
  /** Each partition is told by the lowest shard that it touches, so by one owner. */
  readonly shards: ReadonlySet<number>;
}

type Listed = NonNullable<ListReply['partitions']>[number];

/** Bytes of one listed partition beside the names in it, as JSON. */
const LISTED_BYTES = 110;

function runsOf(variable: VariableIndex, run: string | undefined): RunIndex[] {
  if (run === undefined) return [...variable.runs()].sort((a, b) => (a.run < b.run ? -1 : 1));
  const found = variable.run(run);
  return found === undefined ? [] : [found];
}

function selectedSteps(run: RunIndex, selection: StepSelection | undefined): readonly number[] {
  const { staged } = run;
  if (selection === undefined) return staged;
  if (typeof selection === 'number') return run.step(selection) === undefined ? [] : [selection];
  if (typeof selection !== 'string') {
    return [...new Set(selection)].sort((a, b) => a - b).filter((step) => (run.step(step)?.size ?? 0) > 0);
  }
  const [lower, upper] = selection.split(':');
  return staged.slice(lowerBound(staged, Number(lower)), lowerBound(staged, Number(upper)));
}

/** Position in the order of a list: (variable, run, step, id). */
interface Position {
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly id: string;
}

function formatCursor({ variable, run, step, id }: Position): string {
  return `${variable}/${run}/${step}/${id}`;
}

function parseCursor(cursor: string): Position {
  const [variable = '', run = '', step = '', id = ''] = cursor.split('/');
  return { variable, run, step: Number(step), id };
}

function comparePositions(a: Position, b: Position): number {
  return compare(a.variable, b.variable) || compare(a.run, b.run) || compare(a.step, b.step) || compare(a.id, b.id);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The cursor that comes first: what several owners listed up to it is complete. */
export function firstCursor(cursors: readonly string[]): string | undefined {
  let first: string | undefined;
  for (const cursor of cursors) {
    if (first === undefined || comparePositions(parseCursor(cursor), parseCursor(first)) < 0) first = cursor;
  }
  return first;
}

/**
 * One page of partitions, ordered by (variable, run, step, id). The cursor is the position of the last one, which means
 * the same at every owner.
 *
 * @param maxBytes of the page as JSON, about; a page has one partition at least
 */
export function listPartitions(
  variables: readonly VariableIndex[],
  filter: ListFilter,
  page: { readonly cursor: string | undefined; readonly maxBytes: number },
): ListReply {
  const partitions: Listed[] = [];
  let room = page.maxBytes;
  let last: Position | undefined;
  for (const { listed, position } of matching(variables, filter, page.cursor)) {
    room -= LISTED_BYTES + listed.variable.length + listed.raw.length;
    if (room < 0 && last !== undefined) return { partitions, cursor: formatCursor(last) };
    partitions.push(listed);
    last = position;
  }
  return { partitions };
}

function* matching(
  variables: readonly VariableIndex[],
  filter: ListFilter,
  cursor: string | undefined,
): IterableIterator<{ listed: Listed; position: Position }> {
  const from = cursor === undefined ? undefined : parseCursor(cursor);
  for (const variable of variables) {
    const { name } = variable.record;
    for (const run of runsOf(variable, filter.run)) {
      for (const number of selectedSteps(run, filter.steps)) {
        // The last id sorts after every ULID: is the whole step before the cursor?
        const end: Position = { variable: name, run: run.run, step: number, id: '~' };
        if (from !== undefined && comparePositions(end, from) < 0) continue;
        const step = run.step(number);
        if (step === undefined) continue;
        for (const listed of matchingOf(step, name, filter)) {
          const position: Position = { ...end, id: listed.id };
          if (from === undefined || comparePositions(position, from) > 0) yield { listed, position };
        }
      }
    }
  }
}

function matchingOf(step: StepIndex, variable: string, filter: ListFilter): Listed[] {
  const found: Listed[] = [];
  for (const { id, box, bytes, raw, epoch, lowest } of step.values()) {
    if (!filter.shards.has(lowest)) continue;
    if (filter.box !== undefined && !contains(filter.box, box)) continue;
    if (filter.belowEpoch !== undefined && epoch >= filter.belowEpoch) continue;
    found.push({ id, variable, step: step.step, bytes, raw });
  }
  return found.sort((a, b) => compare(a.id, b.id));
}

/**
 * The first STEPS_LIMIT selected steps, rising, with what is staged of each; `cursor` where there are more: it is the
 * last step told.
 */
export function summarizeSteps(variable: VariableIndex, filter: ListFilter): ListReply {
  const summaries: StepSummary[] = [];
  const run = filter.run === undefined ? undefined : variable.run(filter.run);
  if (run === undefined) return { summaries };
  const shards = variable.map.touched.filter((shard) => filter.shards.has(shard));
  const coverage = run.coverage(variable.region(filter.box ?? variable.domain, shards), true);
  const selected = selectedSteps(run, filter.steps);
  for (const number of selected.slice(0, STEPS_LIMIT)) {
    const step = run.step(number);
    if (step !== undefined) summaries.push(summarize(step, coverage.covers(step), filter));
  }
  run.closeCoverage(coverage);
  const last = summaries.at(-1);
  return selected.length > STEPS_LIMIT && last !== undefined ? { summaries, cursor: String(last.step) } : { summaries };
}

function summarize(step: StepIndex, covered: boolean, filter: ListFilter): StepSummary {
  let partitions = 0;
  let bytes = 0;
  let onDisk = 0;
  for (const held of step.values()) {
    if (!filter.shards.has(held.lowest)) continue;
    if (filter.box !== undefined && !contains(filter.box, held.box)) continue;
    partitions++;
    bytes += held.bytes;
    if (held.tier === 'disk') onDisk++;
  }
  return { step: step.step, covered, partitions, bytes, onDisk };
}
