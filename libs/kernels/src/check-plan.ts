import type { DType } from '@tidegate/array';
import { type Box, formatBox } from '@tidegate/geometry';
import type { CheckDefinition, Reduction } from '@tidegate/protocol';
import { firstDigits } from './quantile-search.js';
import { derived, NEIGHBOURS, type RoundSpec } from './round-spec.js';

/** Bins of a histogram and limits of a kernel where a definition does not say: those of the definition language. */
const DEFAULT_BINS = 64;
const DEFAULT_LIMITS = { ms: 50, pages: 256 };

/** Where the value of a check is found in a result: `at` is its place in the list of its kind. */
export type CheckReader =
  | { readonly kind: 'stats'; readonly reduction: StatsReduction }
  | { readonly kind: 'cells' }
  | { readonly kind: 'range'; readonly at: number; readonly isShare: boolean }
  | { readonly kind: 'histogram' | 'entropy'; readonly at: number }
  | { readonly kind: 'quantile'; readonly at: number }
  | { readonly kind: 'components'; readonly at: number }
  | { readonly kind: 'difference'; readonly isRoot: boolean }
  | { readonly kind: 'wasm'; readonly at: number; readonly merge: CheckDefinition['merge'] };

type StatsReduction = Extract<
  Reduction,
  'min' | 'max' | 'argmin' | 'argmax' | 'sum' | 'mean' | 'var' | 'std' | 'nan_count' | 'inf_count'
>;

const STATS_LEVELS = ['extrema', 'sums', 'moments'] as const;
const LEVEL_NEEDED: Readonly<Record<StatsReduction, number>> = {
  min: 0,
  max: 0,
  argmin: 0,
  argmax: 0,
  nan_count: 0,
  inf_count: 0,
  sum: 1,
  mean: 1,
  var: 2,
  std: 2,
};

/** The first round of some checks, and where each check's value will be. */
export interface CheckPlan {
  readonly spec: RoundSpec;
  readonly readers: ReadonlyMap<string, CheckReader>;
}

/** A list without repetitions: equal parameters are computed once for all checks that have them. */
class Distinct<T> {
  readonly items: T[] = [];
  readonly #places = new Map<string, number>();

  place(item: T): number {
    const key = JSON.stringify(item);
    let at = this.#places.get(key);
    if (at === undefined) {
      at = this.items.push(item) - 1;
      this.#places.set(key, at);
    }
    return at;
  }
}

/**
 * Plans the first round: everything that the checks ask for, in one pass over the cells. Checks of kind `call` need no
 * cells and are left out. The definitions are taken to be valid for the dtype and rank.
 */
export function planChecks(
  checks: Readonly<Record<string, CheckDefinition>>,
  { dtype, box }: { dtype: DType; box: Box },
): CheckPlan {
  const ranges = new Distinct<RoundSpec['ranges'][number]>();
  const histograms = new Distinct<RoundSpec['histograms'][number]>();
  const quantiles = new Distinct<number>();
  const components = new Distinct<RoundSpec['components'][number]>();
  const wasm = new Distinct<RoundSpec['wasm'][number]>();
  let level = -1;
  let positions = false;
  let difference: RoundSpec['difference'];

  const readerOf = (check: CheckDefinition): CheckReader | undefined => {
    if (check.components !== undefined) {
      const { connectivity, ...limits } = check.components;
      const neighbours = neighboursOf(connectivity, box.lower.length);
      return { kind: 'components', at: components.place({ ...bounds(limits), neighbours }) };
    }
    if (check.wasm !== undefined) {
      const { ms, pages } = check.limits ?? DEFAULT_LIMITS;
      const at = wasm.place({ digest: check.wasm.digest, export: check.wasm.export, ms, pages });
      return { kind: 'wasm', at, merge: check.merge };
    }
    switch (check.reduce) {
      case undefined:
        return undefined;
      case 'count':
      case 'fraction': {
        if (check.above === undefined && check.below === undefined) return { kind: 'cells' };
        return { kind: 'range', at: ranges.place(bounds(check)), isShare: check.reduce === 'fraction' };
      }
      case 'histogram':
      case 'entropy': {
        const [lower, upper] = check.range ?? [0, 1];
        return { kind: check.reduce, at: histograms.place({ lower, upper, bins: check.bins ?? DEFAULT_BINS }) };
      }
      case 'quantile':
        return { kind: 'quantile', at: quantiles.place(check.q ?? 0) };
      case 'l2_diff':
        difference = 'squares';
        return { kind: 'difference', isRoot: true };
      case 'linf_diff':
        difference ??= 'largest';
        return { kind: 'difference', isRoot: false };
      default: {
        const reduction: StatsReduction = check.reduce;
        level = Math.max(level, LEVEL_NEEDED[reduction]);
        positions ||= reduction === 'argmin' || reduction === 'argmax';
        return { kind: 'stats', reduction };
      }
    }
  };

  const readers = new Map<string, CheckReader>();
  for (const [name, check] of Object.entries(checks)) {
    const reader = readerOf(check);
    if (reader !== undefined) readers.set(name, reader);
  }
  const stats = STATS_LEVELS[level];
  const work = {
    round: 0,
    dtype,
    box: formatBox(box),
    ...(stats === undefined ? {} : { stats }),
    positions,
    ranges: ranges.items,
    histograms: histograms.items,
    quantiles: quantiles.items,
    digits: quantiles.items.length > 0 ? [firstDigits(dtype)] : [],
    components: components.items,
    ...(difference === undefined ? {} : { difference }),
    wasm: wasm.items,
  };
  return { spec: { ...work, ...derived(work) }, readers };
}

function bounds({ above, below }: { above?: number | undefined; below?: number | undefined }) {
  return { ...(above === undefined ? {} : { above }), ...(below === undefined ? {} : { below }) };
}

/**
 * The neighbourhood that `connectivity` names in `rank` dimensions: a number of a higher rank means that of a domain
 * one cell thick (6 in two dimensions is 4, 18 and 26 are 8); none means those that share a face.
 */
function neighboursOf(connectivity: number | undefined, rank: number): number {
  const own = NEIGHBOURS[rank] ?? [];
  const fallback = own[0] ?? 0;
  if (connectivity === undefined || own.includes(connectivity)) return connectivity ?? fallback;
  for (let higher = rank + 1; higher <= 3; higher++) {
    const at = NEIGHBOURS[higher]?.indexOf(connectivity) ?? -1;
    if (at >= 0) return own[Math.min(at, own.length - 1)] ?? fallback;
  }
  return fallback;
}
