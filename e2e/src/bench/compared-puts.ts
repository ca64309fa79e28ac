import { median, quantile, timings } from './stats.js';

/** One way to put. */
export interface PutVariant {
  put(turn: number): Promise<unknown>;
  /** Makes room after a round. */
  clear(): Promise<unknown>;
}

/** Milliseconds of a put, and its p50 as a multiple of that of the first variant in the same round: the median over rounds. */
export interface PutTimes {
  readonly p50: number;
  readonly p99: number;
  readonly ratio: number;
}

/** Puts of a block before the first that counts: what the block before left to do is done by then. */
const LEAD = 8;
const WARM_UP = 2;

/**
 * Puts by all variants in turn, a block of `times` puts each; every round begins with another variant, so that neither a slow
 * moment of the machine nor what comes after a variant hits one more than the others.
 */
export async function comparePuts(
  variants: readonly PutVariant[],
  { rounds, times }: { readonly rounds: number; readonly times: number },
): Promise<PutTimes[]> {
  const all = variants.map(() => [] as number[]);
  const ratios = variants.map(() => [] as number[]);
  const turns = variants.map(() => 0);
  for (let round = -WARM_UP; round < rounds; round++) {
    const medians = variants.map(() => Number.NaN);
    for (let place = 0; place < variants.length; place++) {
      const at = (place + round + WARM_UP) % variants.length;
      const variant = variants[at];
      if (!variant) continue;
      const begin = turns[at] ?? 0;
      const taken = await timings(LEAD + times, (turn) => variant.put(begin + turn));
      turns[at] = begin + LEAD + times;
      if (round >= 0) all[at]?.push(...taken.slice(LEAD));
      medians[at] = median(taken.slice(LEAD));
    }
    for (const [at, variant] of variants.entries()) {
      await variant.clear();
      if (round >= 0) ratios[at]?.push((medians[at] ?? Number.NaN) / (medians[0] ?? Number.NaN));
    }
  }
  return variants.map((_, at) => ({
    p50: median(all[at] ?? []),
    p99: quantile(all[at] ?? [], 0.99),
    ratio: median(ratios[at] ?? []),
  }));
}
