import { type Box, volume } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import type { CheckReader } from './check-plan.js';
import { toNumber } from './double-double.js';
import { addUp, type MergedStats, mergeDifferences, mergeStats, type ResultPiece } from './merged-result.js';
import { meanOf, sumOf, varianceOf } from './moments.js';
import type { Failure } from './piece-result.js';
import type { RoundSpec } from './round-spec.js';
import { stitchComponents } from './stitch.js';

/** What a check yields: a number, or a list of them (coordinates, counts, the results of a kernel). */
export type CheckValue = number | number[];

/** A set of pieces that tile a box, with what was computed of them. */
export interface CheckedBox {
  readonly spec: RoundSpec;
  readonly box: Box;
  /** In box order. */
  readonly pieces: readonly ResultPiece[];
  /** Merged once for all checks that read them. */
  readonly stats: MergedStats | undefined;
  /** Quantiles of the whole box, in the order of the description. */
  readonly quantiles: readonly (number | undefined)[];
}

/** Gathers what the checks of a box read. */
export function checkedBox(options: Omit<CheckedBox, 'stats'>): CheckedBox {
  return { ...options, stats: mergeStats(options.pieces) };
}

const NO_NUMBERS = 'the box holds no number, all cells are NaN';

/** The value of one check over all pieces of a box, or why it has none. */
export function checkValue(reader: CheckReader, checked: CheckedBox): CheckValue | Failure {
  const { box, pieces, stats, quantiles, spec } = checked;
  switch (reader.kind) {
    case 'stats':
      return stats === undefined ? { failure: 'it was not computed' } : statsValue(reader.reduction, stats);
    case 'cells':
      return volume(box);
    case 'range': {
      const count = addUp(pieces.map(({ result }) => [result.ranges[reader.at] ?? 0]))[0] ?? 0;
      return reader.isShare ? count / volume(box) : count;
    }
    case 'histogram':
    case 'entropy': {
      const counts = addUp(pieces.map(({ result }) => result.histograms[reader.at] ?? []));
      return reader.kind === 'histogram' ? counts : entropy(counts);
    }
    case 'quantile':
      return finiteOr(quantiles[reader.at], 'the quantile lies between infinities');
    case 'components': {
      const surfaces = pieces.flatMap(({ box: own, result }) => {
        const surface = result.components[reader.at];
        return surface === undefined ? [] : [{ box: own, surface }];
      });
      return stitchComponents(box, surfaces, spec.components[reader.at]?.neighbours ?? 0);
    }
    case 'difference':
      return differenceValue(reader.isRoot, pieces);
    case 'wasm':
      return kernelValue(reader, pieces);
    default:
      throw new TypeError(`there is no reader ${JSON.stringify(reader satisfies never)}`);
  }
}

/** A value that is undefined without a number, and NaN where arithmetic knows none. */
function finiteOr(value: number | undefined, problem: string): number | Failure {
  if (value === undefined) return { failure: NO_NUMBERS };
  return Number.isNaN(value) ? { failure: problem } : value + 0;
}

function statsValue(
  reduction: Extract<CheckReader, { kind: 'stats' }>['reduction'],
  stats: MergedStats,
): CheckValue | Failure {
  const { min, max, moments } = stats;
  if (reduction === 'nan_count') return stats.nan;
  if (reduction === 'inf_count') return stats.infinite;
  if (min === undefined || max === undefined) return { failure: NO_NUMBERS };
  switch (reduction) {
    case 'min':
      return Number(min) + 0;
    case 'max':
      return Number(max) + 0;
    case 'argmin':
      return [...stats.minAt];
    case 'argmax':
      return [...stats.maxAt];
    default:
      break;
  }
  if (moments === undefined) return { failure: 'it was not computed' };
  const isLow = min === -Infinity;
  const isHigh = max === Infinity;
  if (reduction === 'var' || reduction === 'std') {
    if (isLow || isHigh) return { failure: `the variance of infinite cells is no number: there are ${stats.infinite}` };
    const variance = varianceOf(moments);
    const value = reduction === 'var' ? variance : Math.sqrt(variance);
    return Number.isFinite(value) ? value : { failure: 'the sum of squares is beyond the range of float64' };
  }
  if (isLow && isHigh) return { failure: 'the box holds both infinities, they have no sum' };
  if (isLow || isHigh) return isLow ? -Infinity : Infinity;
  const value = reduction === 'sum' ? sumOf(moments) : meanOf(moments);
  return Number.isFinite(value) ? value + 0 : { failure: 'the sum is beyond the range of float64' };
}

/** Shannon entropy of the shares of the cells that are in a bin, in nats. */
function entropy(counts: readonly number[]): number | Failure {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return { failure: 'no cell is inside the range' };
  let sum = 0;
  for (const count of counts) if (count > 0) sum -= (count / total) * Math.log(count / total);
  return sum + 0;
}

function differenceValue(isRoot: boolean, pieces: readonly ResultPiece[]): number | Failure {
  const difference = mergeDifferences(pieces);
  if (difference === undefined) return { failure: 'it was not computed' };
  if ('failure' in difference) return difference;
  if (difference.compared === 0) return { failure: 'no cell is a number at both steps' };
  const largest = Number(difference.largest);
  if (!isRoot || largest === Infinity) return largest;
  const root = Math.sqrt(toNumber(difference.squares));
  return Number.isFinite(root) ? root : { failure: 'the sum of squares is beyond the range of float64' };
}

function kernelValue(
  { at, merge }: Extract<CheckReader, { kind: 'wasm' }>,
  pieces: readonly ResultPiece[],
): CheckValue | Failure {
  const lists: (readonly number[])[] = [];
  for (const { result } of pieces) {
    const outcome = result.wasm[at];
    if (outcome === undefined) return { failure: 'it was not computed' };
    if ('failure' in outcome) return outcome;
    lists.push(outcome);
  }
  const [first = []] = lists;
  if (lists.length > 1 && merge === undefined) {
    return {
      failure: `the kernel ran on ${lists.length} pieces and the check has no "merge": their results are in parts`,
    };
  }
  const odd = lists.find((list) => list.length !== first.length);
  if (odd !== undefined) {
    return {
      failure: `the kernel gave ${first.length} results of one piece and ${odd.length} of another, they do not merge`,
    };
  }
  const merged =
    lists.length === 1
      ? first
      : first.map((_, i) =>
          mergeNumbers(
            merge,
            lists.map((list) => list[i] ?? 0),
          ),
        );
  if (merged.some(Number.isNaN)) return { failure: 'a merged result of the kernel is not a number' };
  const [only] = merged;
  return merged.length === 1 && only !== undefined ? only : [...merged];
}

function mergeNumbers(merge: CheckDefinition['merge'], values: readonly number[]): number {
  let merged = values[0] ?? 0;
  for (const value of values.slice(1)) {
    if (merge === 'min') merged = Math.min(merged, value);
    else if (merge === 'max') merged = Math.max(merged, value);
    else merged += value;
  }
  return merge === 'mean' ? merged / values.length : merged;
}
