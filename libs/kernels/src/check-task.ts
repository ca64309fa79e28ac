import { type DType, itemSize } from '@tidegate/array';
import { type Box, contains, formatBox, intersect, volume } from '@tidegate/geometry';
import { BadRequestError } from '@tidegate/protocol';
import { BoxReader } from './box-reader.js';
import { type CellRange, cellRange } from './cell-range.js';
import { add, ZERO } from './double-double.js';
import type { FileCache } from './file-cache.js';
import type { KernelInstance, KernelSession } from './kernel-instance.js';
import { Labeller } from './labeller.js';
import { prefixRange } from './order-key.js';
import { checkPieceData, type PieceData, type PreviousData } from './piece-data.js';
import { type BuiltInResult, type Difference, type Failure, type SparseCounts, sparseCounts } from './piece-result.js';
import { StatsTally } from './piece-stats.js';
import { DIGITS, QuantileSearch } from './quantile-search.js';
import { type DigitQuery, type RoundSpec, specBox } from './round-spec.js';

/** What a raw-service computes of one piece in a round. */
export interface CheckTask {
  readonly spec: RoundSpec;
  readonly piece: Box;
  readonly data: PieceData;
  /** The previous step's cells, which together tile `piece`; left out where there is no previous step. */
  readonly previous?: readonly PreviousData[];
  /** Modules of users by digest. */
  readonly kernels?: ReadonlyMap<string, Uint8Array>;
}

/** What the passes of a worker share. */
export interface CheckTools {
  readonly kernels: KernelInstance;
  readonly files: FileCache;
}

/**
 * Computes what `spec` asks for of a piece, user kernels aside: one pass over the cells for all of it, further ones for
 * the differences and for each 16 bits of a quantile.
 * @throws BadRequestError, SizeMismatchError, UnavailableError (the data cannot be read)
 */
export function runCheck(task: Omit<CheckTask, 'kernels'>, tools: CheckTools): BuiltInResult {
  const { spec, piece, data } = task;
  checkPieceData(data, piece, spec.dtype);
  if (!contains(specBox(spec), piece)) {
    throw new BadRequestError('piece', `expected a piece inside ${spec.box}, got ${formatBox(piece)}`);
  }
  const difference = spec.difference === undefined ? undefined : compareSteps(task, tools);
  const main = mainPass(task, tools);
  const quantiles = spec.quantiles.length === 0 ? [] : pieceQuantiles(task, tools, main.digits);
  return { ...main, quantiles, difference };
}

function readerOf(data: PieceData, box: Box, dtype: DType, { files }: CheckTools): BoxReader {
  return new BoxReader({ source: files.source(data), outer: data.box, box, itemSize: itemSize(dtype) });
}

/** Takes a box's cells into the session, a block at a time, and calls `visit` with the number of cells in it. */
function forEachBlock(
  reader: BoxReader,
  { session, dtype }: { session: KernelSession; dtype: DType },
  visit: (cells: number) => void,
): void {
  const cellBytes = itemSize(dtype);
  for (let bytes = reader.fill(session.cells); bytes > 0; bytes = reader.fill(session.cells)) {
    if (dtype === 'bool') normalizeBools(session.cells, bytes);
    visit(bytes / cellBytes);
  }
}

/** Any byte but 0 is true. */
export function normalizeBools(cells: Uint8Array, bytes: number): void {
  for (let i = 0; i < bytes; i++) if ((cells[i] as number) > 1) cells[i] = 1;
}

function mainPass(task: CheckTask, tools: CheckTools): Omit<BuiltInResult, 'quantiles' | 'difference'> {
  const { spec, piece, data } = task;
  const { dtype } = spec;
  const histogramTables: number[] = [];
  let tableEntries = spec.digits.length * DIGITS;
  for (const { bins } of spec.histograms) {
    histogramTables.push(tableEntries);
    tableEntries += bins;
  }
  const session = tools.kernels.session(dtype, tableEntries);
  const tally = spec.stats && new StatsTally(session, { dtype, level: spec.stats, positions: spec.positions });
  const ranges = spec.ranges.map((bounds) => ({ range: cellRange(dtype, bounds), count: 0 }));
  const queries = spec.digits.map((query) => queryRange(dtype, query));
  const labellers = spec.components.map(({ neighbours, ...bounds }) => ({
    range: cellRange(dtype, bounds),
    labeller: new Labeller({ piece, box: specBox(spec), neighbours }),
  }));
  const isIdle =
    tally === undefined && ranges.length + queries.length + labellers.length + spec.histograms.length === 0;
  if (!isIdle) {
    forEachBlock(readerOf(data, piece, dtype, tools), { session, dtype }, (cells) => {
      tally?.add(cells);
      for (const entry of ranges) if (entry.range !== undefined) entry.count += session.countRange(cells, entry.range);
      for (const [at, histogram] of spec.histograms.entries()) {
        session.histogram(cells, histogram, histogramTables[at] ?? 0);
      }
      countDigits(session, cells, queries);
      for (const { range, labeller } of labellers) {
        labeller.push(range === undefined ? new Uint8Array(cells) : session.maskRange(cells, range));
      }
    });
  }
  return {
    stats: tally?.finish(),
    ranges: ranges.map(({ count }) => count),
    histograms: spec.histograms.map(({ bins }, at) => Array.from(session.table(histogramTables[at] ?? 0, bins))),
    digits: queries.map((_, at) => sparseCounts(session.table(at * DIGITS, DIGITS))),
    components: labellers.map(({ labeller }) => labeller.finish()),
  };
}

/** The cells that a query is about; undefined where there can be none. */
function queryRange(dtype: DType, { prefix, shift }: DigitQuery): { range: CellRange; shift: number } | undefined {
  const range = prefixRange(dtype, { prefix: BigInt(`0x${prefix}`), shift });
  return range && { range, shift };
}

/** Counts digits of the block for each query, each in a table of its own; the first tables are theirs. */
function countDigits(
  session: KernelSession,
  cells: number,
  queries: readonly ({ range: CellRange; shift: number } | undefined)[],
): void {
  for (let at = 0; at < queries.length; at++) {
    const query = queries[at];
    if (query !== undefined) session.countDigits(cells, query, at * DIGITS);
  }
}

/** Quantiles of the piece alone; `first` are the counts that the search begins with, which the main pass has made. */
function pieceQuantiles(task: CheckTask, tools: CheckTools, first: readonly SparseCounts[]): (number | undefined)[] {
  const { spec, piece, data } = task;
  const { dtype, quantiles } = spec;
  const search = new QuantileSearch(dtype, quantiles);
  const [opening] = first;
  if (opening === undefined)
    throw new BadRequestError('digits', 'expected the first digits where quantiles are asked for');
  const counters = new Uint32Array(DIGITS);
  for (let i = 0; i < opening.digits.length; i++) counters[opening.digits[i] as number] = opening.counts[i] as number;
  search.accept([counters]);
  for (let queries = search.queries(); queries.length > 0; queries = search.queries()) {
    const session = tools.kernels.session(dtype, queries.length * DIGITS);
    const parsed = queries.map((query) => queryRange(dtype, query));
    forEachBlock(readerOf(data, piece, dtype, tools), { session, dtype }, (cells) =>
      countDigits(session, cells, parsed),
    );
    search.accept(parsed.map((_, at) => session.table(at * DIGITS, DIGITS)));
  }
  return search.values();
}

/** Compares the piece with the previous step's cells, one after the other of the boxes that these come in. */
function compareSteps(task: CheckTask, tools: CheckTools): Difference | Failure {
  const { spec, piece, data, previous } = task;
  if (previous === undefined || previous.length === 0) return { failure: 'there is no previous step to compare with' };
  const { dtype } = spec;
  const session = tools.kernels.session(dtype, 0);
  const cellBytes = itemSize(dtype);
  let compared = 0;
  let covered = 0;
  let largest: number | bigint = 0;
  let squares = ZERO;
  for (const before of previous) {
    const box = intersect(before.piece ?? before.box, piece);
    if (box === undefined) continue;
    checkPieceData(before, box, dtype);
    covered += volume(box);
    const now = readerOf(data, box, dtype, tools);
    const then = readerOf(before, box, dtype, tools);
    for (let bytes = now.fill(session.cells); bytes > 0; bytes = now.fill(session.cells)) {
      then.fill(session.otherCells.subarray(0, bytes));
      if (dtype === 'bool') {
        normalizeBools(session.cells, bytes);
        normalizeBools(session.otherCells, bytes);
      }
      const part = session.difference(bytes / cellBytes, spec.difference === 'squares');
      compared += part.compared;
      if (part.largest > largest) largest = part.largest;
      squares = add(squares, part.squares);
    }
  }
  if (covered !== volume(piece)) {
    return { failure: `the previous step has ${covered} of the ${volume(piece)} cells of piece ${formatBox(piece)}` };
  }
  const isWide = !dtype.startsWith('float') && cellBytes === 8;
  return { compared, largest: isWide ? BigInt(largest) : largest, squares };
}
