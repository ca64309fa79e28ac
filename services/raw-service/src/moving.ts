import type { PartitionId } from '@tidegate/protocol';

/** Which partitions are on their way between the tiers: nobody else may move or delete them meanwhile. */
export class Moving {
  readonly #moving = new Map<PartitionId, Promise<void>>();

  has(id: PartitionId): boolean {
    return this.#moving.has(id);
  }

  /**
   * The end of a move of one of these partitions; undefined once all are at rest. Whoever waits asks again: another move
   * may have begun when the waiter's turn comes.
   */
  of(ids: readonly PartitionId[]): Promise<void> | undefined {
    if (this.#moving.size === 0) return undefined;
    for (const id of ids) {
      const moving = this.#moving.get(id);
      if (moving !== undefined) return moving;
    }
    return undefined;
  }

  /** Does work on partitions that are at rest, and marks them as moving until it has ended, well or not. */
  async run<T>(ids: readonly PartitionId[], work: () => Promise<T>): Promise<T> {
    const running = work();
    const ended = running.then(
      () => undefined,
      () => undefined,
    );
    for (const id of ids) this.#moving.set(id, ended);
    try {
      return await running;
    } finally {
      for (const id of ids) this.#moving.delete(id);
    }
  }
}
