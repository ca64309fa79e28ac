/** A reproducible source of randomness. */
export interface SeededRandom {
  /** A float, 0 <= x < 1. */
  next(): number;
  /** An integer, lower <= n < upper. */
  int(lower: number, upper: number): number;
  /** One of the items. @throws RangeError where there is none */
  pick<T>(items: readonly T[]): T;
  /** A copy in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/** The mulberry32 generator (T. Ettinger, public domain): the same seed gives the same sequence everywhere. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const int = (lower: number, upper: number): number => lower + Math.floor(next() * (upper - lower));
  return {
    next,
    int,
    pick(items) {
      const item = items[int(0, items.length)];
      if (item === undefined) throw new RangeError('expected at least one item to pick from');
      return item;
    },
    shuffle<T>(items: readonly T[]): T[] {
      const keyed = [...items];
      for (let last = keyed.length - 1; last > 0; last--) {
        const other = int(0, last + 1);
        [keyed[last], keyed[other]] = [keyed[other] as T, keyed[last] as T];
      }
      return keyed;
    },
  };
}
