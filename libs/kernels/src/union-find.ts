const INITIAL_SETS = 256;

/**
 * Disjoint sets with path halving; the lower number is the root, so that results do not depend on the order of unions.
 */
export class UnionFind {
  #parents: Int32Array;
  #size = 0;
  #sets = 0;

  /** @param size sets to begin with, each of one element */
  constructor(size = 0) {
    this.#parents = new Int32Array(Math.max(size, INITIAL_SETS));
    for (let i = 0; i < size; i++) this.#parents[i] = i;
    this.#size = size;
    this.#sets = size;
  }

  /** Number of disjoint sets. */
  get sets(): number {
    return this.#sets;
  }

  /** A new set of one element, which is returned. */
  add(): number {
    const element = this.#size++;
    if (element === this.#parents.length) {
      const grown = new Int32Array(element * 2);
      grown.set(this.#parents);
      this.#parents = grown;
    }
    this.#parents[element] = element;
    this.#sets++;
    return element;
  }

  find(element: number): number {
    const parents = this.#parents;
    let at = element;
    for (;;) {
      const parent = parents[at] as number;
      if (parent === at) return at;
      const above = parents[parent] as number;
      parents[at] = above;
      at = above;
    }
  }

  union(a: number, b: number): void {
    const x = this.find(a);
    const y = this.find(b);
    if (x === y) return;
    if (x < y) this.#parents[y] = x;
    else this.#parents[x] = y;
    this.#sets--;
  }
}
