import type { MemberRecord } from '@tidegate/protocol';

/** Golden-ratio steps visit the weighted line evenly: a round robin that needs no memory of what was given to whom. */
const STEP = (Math.sqrt(5) - 1) / 2;
/** A service that did not answer is passed over for so long, while another one is there. */
const SUSPECT_MS = 3000;

interface Weighted {
  readonly ids: readonly string[];
  /** Running sums of the weights. */
  readonly sums: Float64Array;
}

/**
 * Round robin over the live raw-services, weighted by their free room. Its cost does not grow with the number of
 * services: the weights are summed when the membership changes, a choice is a binary search.
 */
export class RawChoice {
  #weighted: Weighted = { ids: [], sums: new Float64Array() };
  readonly #suspects = new Map<string, number>();
  readonly #now: () => number;
  #position: number;

  /** @param start where in the round to begin, 0 … 1, so that many writers do not go in step */
  constructor(now: () => number, start: number) {
    this.#now = now;
    this.#position = start;
  }

  /** Takes over the live raw-services. */
  update(members: readonly MemberRecord[]): void {
    const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
    const sums = new Float64Array(sorted.length);
    let sum = 0;
    sorted.forEach((member, at) => {
      sum += weight(member);
      sums[at] = sum;
    });
    this.#weighted = { ids: sorted.map((member) => member.id), sums };
  }

  get size(): number {
    return this.#weighted.ids.length;
  }

  /** The next raw-service, none of `not` while there is another; undefined when none is live. */
  next(not: ReadonlySet<string> = new Set()): string | undefined {
    const { ids } = this.#weighted;
    this.#position = (this.#position + STEP) % 1;
    const first = this.#at(this.#position);
    const start = Math.max(0, ids.indexOf(first ?? ''));
    let fallback = first;
    for (let turn = 0; turn < ids.length; turn++) {
      const id = ids[(start + turn) % ids.length];
      if (id === undefined || not.has(id)) continue;
      if (!this.#isSuspect(id)) return id;
      fallback = id;
    }
    return fallback;
  }

  /** Passes a service over for a while. */
  suspect(id: string): void {
    this.#suspects.set(id, this.#now() + SUSPECT_MS);
    if (this.#suspects.size > 1024) this.#suspects.clear();
  }

  #isSuspect(id: string): boolean {
    const until = this.#suspects.get(id);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    this.#suspects.delete(id);
    return false;
  }

  #at(fraction: number): string | undefined {
    const { ids, sums } = this.#weighted;
    const point = fraction * (sums[sums.length - 1] ?? 0);
    let low = 0;
    let high = ids.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > point) high = middle;
      else low = middle + 1;
    }
    return ids[low];
  }
}

/** Free room, but never nothing: a full service may have room again before its next report. */
function weight({ freeBytes, limitBytes, state }: MemberRecord): number {
  const free = freeBytes ?? 1;
  const floor = (limitBytes ?? 1) * 0.01;
  return Math.max(state === 'full' || state === 'critical' ? floor : free, floor, 1);
}
