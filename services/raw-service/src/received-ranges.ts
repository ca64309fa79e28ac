/** Which bytes of an upload have come: half-open ranges, disjoint and in order. Chunks may come twice and in any order. */
export class ReceivedRanges {
  readonly #ranges: { lower: number; upper: number }[] = [];
  #bytes = 0;

  /** Bytes that have come at least once. */
  get bytes(): number {
    return this.#bytes;
  }

  add(lower: number, upper: number): void {
    if (upper <= lower) return;
    const ranges = this.#ranges;
    const first = this.#firstEndingAt(lower);
    let last = first;
    let [low, high] = [lower, upper];
    for (; last < ranges.length; last++) {
      const range = ranges[last];
      if (!range || range.lower > upper) break;
      low = Math.min(low, range.lower);
      high = Math.max(high, range.upper);
      this.#bytes -= range.upper - range.lower;
    }
    this.#bytes += high - low;
    ranges.splice(first, last - first, { lower: low, upper: high });
  }

  /** The first range that has not come, of `total` bytes; undefined when all have. */
  firstGap(total: number): { readonly lower: number; readonly upper: number } | undefined {
    let lower = 0;
    for (const range of this.#ranges) {
      if (range.lower > lower) return { lower, upper: range.lower };
      lower = range.upper;
    }
    return lower < total ? { lower, upper: total } : undefined;
  }

  /** Position of the first range that ends at or after `lower`, by bisection. */
  #firstEndingAt(lower: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.upper ?? 0) < lower) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
