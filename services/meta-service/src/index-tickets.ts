import type { PartitionId, RawId } from '@tidegate/protocol';

/** One index request that has to wait. */
export interface IndexTicket {
  readonly raw: RawId;
  readonly id: PartitionId;
  /** A removal of the same partition overtook it. */
  withdrawn: boolean;
}

/**
 * Index requests that wait for their shard to be taken over, or for their variable to be looked up. A put that is
 * undone meanwhile must not be indexed after its removal.
 */
export class IndexTickets {
  readonly #waiting = new Set<IndexTicket>();

  /** Runs `task` with a ticket. */
  async hold<T>(raw: RawId, id: PartitionId, task: (ticket: IndexTicket) => Promise<T>): Promise<T> {
    const ticket: IndexTicket = { raw, id, withdrawn: false };
    this.#waiting.add(ticket);
    try {
      return await task(ticket);
    } finally {
      this.#waiting.delete(ticket);
    }
  }

  /** A removal arrived: what waited before it is void. */
  withdraw(raw: RawId, ids: readonly PartitionId[]): void {
    if (this.#waiting.size === 0) return;
    for (const ticket of this.#waiting) {
      if (ticket.raw === raw && ids.includes(ticket.id)) ticket.withdrawn = true;
    }
  }
}
