import type { RawId } from '@tidegate/protocol';

/** Earlier starts of one raw-service that are remembered. */
const RETIRED = 16;

/**
 * The present start of each raw-service's process. The members bucket is the authority; between its news a ULID that
 * is later than the known one is taken for a later start.
 */
export class RawStarts {
  readonly #current = new Map<RawId, string>();
  readonly #retired = new Map<RawId, string[]>();

  current(raw: RawId): string | undefined {
    return this.#current.get(raw);
  }

  /** The raw-service itself, or the members bucket, says so. True where the start was not known. */
  announced(raw: RawId, incarnation: string): boolean {
    const before = this.#current.get(raw);
    if (before === incarnation) return false;
    this.#current.set(raw, incarnation);
    const retired = (this.#retired.get(raw) ?? []).filter((old) => old !== incarnation);
    if (before !== undefined) retired.push(before);
    this.#retired.set(raw, retired.slice(-RETIRED));
    return true;
  }

  /** Of which start a message is. `later`: of one that was not known; it is the present one from now on. */
  judge(raw: RawId, incarnation: string): 'current' | 'later' | 'stale' {
    const known = this.#current.get(raw);
    if (known === incarnation) return 'current';
    if (this.#retired.get(raw)?.includes(incarnation)) return 'stale';
    if (known !== undefined && incarnation < known) return 'stale';
    this.announced(raw, incarnation);
    return 'later';
  }

  forget(raw: RawId): void {
    this.#current.delete(raw);
    this.#retired.delete(raw);
  }
}
