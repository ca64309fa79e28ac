import { itemSize } from '@tidegate/array';
import { type Box, shapeOf, volume } from '@tidegate/geometry';
import { ByteFormatError, ByteReader, ByteWriter } from './byte-stream.js';
import type { DoubleDouble } from './double-double.js';
import { rowShape } from './labeller.js';
import type { Moments } from './moments.js';
import { DIGITS } from './quantile-search.js';
import type { RoundSpec } from './round-spec.js';
import { readSurface, type Surface, writeSurface } from './surface.js';

/** The format's version, its first byte. */
const VERSION = 1;
/** Most results of one call of a user kernel. */
export const KERNEL_RESULTS = 1024;
/** Characters of a reason for a failure. */
const REASON_LENGTH = 512;

/** The smallest and largest number of a piece; 64-bit integers as bigint. */
export interface Extrema {
  readonly min: number | bigint;
  readonly max: number | bigint;
  /** Where they stand first, counted in row-major order of the piece; -1 if that was not asked for. */
  readonly minAt: number;
  readonly maxAt: number;
}

export interface PieceStats {
  readonly nan: number;
  readonly infinite: number;
  /** Missing where all cells are NaN. */
  readonly extrema: Extrema | undefined;
  /** Of the finite cells; the spread only where moments were asked for. */
  readonly moments: Moments | undefined;
}

/** What differs from the previous step. `compared` are the cells that are numbers in both. */
export interface Difference {
  readonly compared: number;
  readonly largest: number | bigint;
  readonly squares: DoubleDouble;
}

export interface Failure {
  readonly failure: string;
}

/** Cells by digit of their order key: digits that occur, ascending, and how often. */
export interface SparseCounts {
  readonly digits: Uint32Array;
  readonly counts: Float64Array;
}

/** What one round yields of one piece; the lists are as those of the round's description. */
export interface PieceResult {
  readonly stats: PieceStats | undefined;
  readonly ranges: readonly number[];
  readonly histograms: readonly (readonly number[])[];
  /** Undefined where all cells are NaN. */
  readonly quantiles: readonly (number | undefined)[];
  readonly digits: readonly SparseCounts[];
  readonly components: readonly Surface[];
  readonly difference: Difference | Failure | undefined;
  readonly wasm: readonly (readonly number[] | Failure)[];
}

/** The digits that occur among `DIGITS` counters. */
export function sparseCounts(counters: Uint32Array): SparseCounts {
  let length = 0;
  for (const count of counters) if (count > 0) length++;
  const digits = new Uint32Array(length);
  const counts = new Float64Array(length);
  let at = 0;
  for (let digit = 0; digit < counters.length; digit++) {
    const count = counters[digit] as number;
    if (count === 0) continue;
    digits[at] = digit;
    counts[at++] = count;
  }
  return { digits, counts };
}

/** The results of user kernels, which run apart from the others. */
export type KernelOutcome = PieceResult['wasm'][number];
export type BuiltInResult = Omit<PieceResult, 'wasm'>;

/**
 * A piece's result as bytes, in two parts to be put one behind the other: what travels from a raw-service to the
 * engine.
 */
export function encodeBuiltIn(spec: RoundSpec, result: BuiltInResult): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.varint(VERSION);
  writer.varint(spec.round);
  if (result.stats !== undefined) writeStats(writer, spec, result.stats);
  for (const count of result.ranges) writer.varint(count);
  for (const histogram of result.histograms) for (const count of histogram) writer.varint(count);
  for (const quantile of result.quantiles) {
    writer.varint(quantile === undefined ? 0 : 1);
    if (quantile !== undefined) writer.float64(quantile);
  }
  for (const { digits, counts } of result.digits) {
    writer.varint(digits.length);
    let digit = 0;
    for (let i = 0; i < digits.length; i++) {
      writer.varint((digits[i] ?? 0) - digit);
      writer.varint(counts[i] ?? 0);
      digit = digits[i] ?? 0;
    }
  }
  for (const surface of result.components) writeSurface(writer, surface);
  if (result.difference !== undefined) writeDifference(writer, result.difference);
  return writer.finish();
}

/** The second part: the outcome of each user kernel, in the order of the round's description. */
export function encodeOutcomes(outcomes: readonly KernelOutcome[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  for (const outcome of outcomes) {
    if ('failure' in outcome) {
      writer.varint(0);
      writer.text(outcome.failure.slice(0, REASON_LENGTH));
    } else {
      writer.varint(outcome.length + 1);
      for (const value of outcome) writer.float64(value);
    }
  }
  return writer.finish();
}

/**
 * Reads the two parts of the result of `piece`.
 * @throws ByteFormatError if it is anything else
 */
export function decodePieceResult(spec: RoundSpec, piece: Box, bytes: Uint8Array): PieceResult {
  const reader = new ByteReader(bytes);
  const version = reader.varint();
  if (version !== VERSION) throw new ByteFormatError(`expected version ${VERSION}, got ${version}`);
  const round = reader.varint();
  if (round !== spec.round) throw new ByteFormatError(`expected the result of round ${spec.round}, got round ${round}`);
  const cells = volume(piece);
  const [planes, rows, width] = rowShape(shapeOf(piece));
  const result: PieceResult = {
    stats: spec.stats === undefined ? undefined : readStats(reader, spec, cells),
    ranges: spec.ranges.map(() => reader.count(cells, 'cells')),
    histograms: spec.histograms.map(({ bins }) => Array.from({ length: bins }, () => reader.count(cells, 'cells'))),
    quantiles: spec.quantiles.map(() => (reader.count(1, 'quantile') === 1 ? reader.float64() : undefined)),
    digits: spec.digits.map(() => readDigits(reader, cells)),
    components: spec.components.map(() => readSurface(reader, { rowCount: planes * rows, width })),
    difference: spec.difference === undefined ? undefined : readDifference(reader, spec, cells),
    wasm: spec.wasm.map(() => {
      const length = reader.count(KERNEL_RESULTS + 1, 'results');
      if (length === 0) return { failure: reader.text(REASON_LENGTH * 4) };
      return Array.from({ length: length - 1 }, () => reader.float64());
    }),
  };
  reader.end();
  return result;
}

function isWide({ dtype }: RoundSpec): boolean {
  return itemSize(dtype) === 8 && !dtype.startsWith('float');
}

function writeNumber(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === 'bigint') writer.bigint(value);
  else writer.float64(value);
}

function readNumber(reader: ByteReader, spec: RoundSpec): number | bigint {
  return isWide(spec) ? reader.bigint() : reader.float64();
}

function writeDoubleDouble(writer: ByteWriter, { high, low }: DoubleDouble): void {
  writer.float64(high);
  writer.float64(low);
}

function readDoubleDouble(reader: ByteReader): DoubleDouble {
  return { high: reader.float64(), low: reader.float64() };
}

function writeStats(writer: ByteWriter, spec: RoundSpec, { nan, infinite, extrema, moments }: PieceStats): void {
  writer.varint(nan);
  writer.varint(infinite);
  writer.varint(extrema === undefined ? 0 : 1);
  if (extrema !== undefined) {
    writeNumber(writer, extrema.min);
    writeNumber(writer, extrema.max);
    if (spec.positions) {
      writer.varint(extrema.minAt);
      writer.varint(extrema.maxAt);
    }
  }
  if (moments === undefined) return;
  for (const value of [moments.sum, moments.spread]) {
    if (typeof value === 'bigint') writer.bigint(value);
    else writeDoubleDouble(writer, value);
  }
}

function readStats(reader: ByteReader, spec: RoundSpec, cells: number): PieceStats {
  const nan = reader.count(cells, 'NaN cells');
  const infinite = reader.count(cells - nan, 'infinite cells');
  let extrema: Extrema | undefined;
  if (reader.count(1, 'pair of extrema') === 1) {
    const min = readNumber(reader, spec);
    const max = readNumber(reader, spec);
    const [minAt, maxAt] = spec.positions
      ? [reader.count(cells - 1, 'as position'), reader.count(cells - 1, 'as position')]
      : [-1, -1];
    extrema = { min, max, minAt, maxAt };
  }
  if (spec.stats === 'extrema') return { nan, infinite, extrema, moments: undefined };
  const count = cells - nan - infinite;
  const moments: Moments = spec.dtype.startsWith('float')
    ? { count, sum: readDoubleDouble(reader), spread: readDoubleDouble(reader) }
    : { count, sum: reader.bigint(), spread: reader.bigint() };
  return { nan, infinite, extrema, moments };
}

function readDigits(reader: ByteReader, cells: number): SparseCounts {
  const length = reader.count(Math.min(DIGITS, cells), 'digits');
  const digits = new Uint32Array(length);
  const counts = new Float64Array(length);
  let digit = 0;
  for (let i = 0; i < length; i++) {
    digit += reader.count(DIGITS - 1 - digit, 'as step to the next digit');
    digits[i] = digit;
    counts[i] = reader.count(cells, 'cells');
  }
  return { digits, counts };
}

function writeDifference(writer: ByteWriter, difference: Difference | Failure): void {
  if ('failure' in difference) {
    writer.varint(0);
    writer.text(difference.failure.slice(0, REASON_LENGTH));
    return;
  }
  writer.varint(1);
  writer.varint(difference.compared);
  writeNumber(writer, difference.largest);
  writeDoubleDouble(writer, difference.squares);
}

function readDifference(reader: ByteReader, spec: RoundSpec, cells: number): Difference | Failure {
  if (reader.count(1, 'difference') === 0) return { failure: reader.text(REASON_LENGTH * 4) };
  return {
    compared: reader.count(cells, 'cells'),
    largest: readNumber(reader, spec),
    squares: readDoubleDouble(reader),
  };
}
