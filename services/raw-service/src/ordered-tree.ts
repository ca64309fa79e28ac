interface Node<T> {
  item: T;
  priority: number;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
}

/**
 * A sorted set as a treap (Aragon and Seidel 1989): every operation takes O(log n) expected time. The priorities come
 * from a fixed seed, so the same operations give the same tree.
 */
export class OrderedTree<T> {
  readonly #compare: (a: T, b: T) => number;
  #root: Node<T> | undefined;
  #random = 0x9e3779b9;
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item; false if an equal one is there. */
  insert(item: T): boolean {
    const node = { item, priority: this.#nextPriority(), left: undefined, right: undefined };
    const before = this.#size;
    this.#root = this.#insert(this.#root, node);
    return this.#size > before;
  }

  /** Removes the item that is equal to this one; false if there is none. */
  delete(item: T): boolean {
    const before = this.#size;
    this.#root = this.#delete(this.#root, item);
    return this.#size < before;
  }

  /** The smallest item that is not below `key`. */
  ceiling(key: T): T | undefined {
    let found: T | undefined;
    let node = this.#root;
    while (node !== undefined) {
      if (this.#compare(node.item, key) >= 0) {
        found = node.item;
        node = node.left;
      } else {
        node = node.right;
      }
    }
    return found;
  }

  /** The largest item that is not above `key`. */
  floor(key: T): T | undefined {
    let found: T | undefined;
    let node = this.#root;
    while (node !== undefined) {
      if (this.#compare(node.item, key) <= 0) {
        found = node.item;
        node = node.right;
      } else {
        node = node.left;
      }
    }
    return found;
  }

  /** The largest item. */
  max(): T | undefined {
    let node = this.#root;
    while (node?.right !== undefined) node = node.right;
    return node?.item;
  }

  /** All items in rising order. */
  *[Symbol.iterator](): Generator<T> {
    const path: Node<T>[] = [];
    let node = this.#root;
    while (node !== undefined || path.length > 0) {
      while (node !== undefined) {
        path.push(node);
        node = node.left;
      }
      const top = path.pop();
      if (top === undefined) return;
      yield top.item;
      node = top.right;
    }
  }

  #insert(node: Node<T> | undefined, added: Node<T>): Node<T> {
    if (node === undefined) {
      this.#size++;
      return added;
    }
    const order = this.#compare(added.item, node.item);
    if (order < 0) {
      const child = this.#insert(node.left, added);
      node.left = child;
      if (child.priority > node.priority) {
        node.left = child.right;
        child.right = node;
        return child;
      }
    } else if (order > 0) {
      const child = this.#insert(node.right, added);
      node.right = child;
      if (child.priority > node.priority) {
        node.right = child.left;
        child.left = node;
        return child;
      }
    }
    return node;
  }

  #delete(node: Node<T> | undefined, item: T): Node<T> | undefined {
    if (node === undefined) return undefined;
    const order = this.#compare(item, node.item);
    if (order < 0) node.left = this.#delete(node.left, item);
    else if (order > 0) node.right = this.#delete(node.right, item);
    else {
      this.#size--;
      return merge(node.left, node.right);
    }
    return node;
  }

  /** Xorshift (Marsaglia 2003). */
  #nextPriority(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x;
  }
}

/** Joins two trees of which the first lies wholly below the second. */
function merge<T>(low: Node<T> | undefined, high: Node<T> | undefined): Node<T> | undefined {
  if (low === undefined) return high;
  if (high === undefined) return low;
  if (low.priority > high.priority) {
    low.right = merge(low.right, high);
    return low;
  }
  high.left = merge(low, high.left);
  return high;
}
