import { OWNERS, OWNERS_ASK, type OwnersAnnouncement } from '@tidegate/protocol';
import type { Bus } from './connect.js';

const utf8 = new TextDecoder();

function isAnnouncement(value: unknown): value is OwnersAnnouncement {
  if (typeof value !== 'object' || value === null) return false;
  const { id, shards } = value as Partial<OwnersAnnouncement>;
  return (
    typeof id === 'string' &&
    Array.isArray(shards) &&
    shards.every((shard) => Number.isSafeInteger(shard) && shard >= 0)
  );
}

/**
 * Which meta-service owns which shard, as they announce it. A hint, never the truth: it groups shards into one request
 * and says when a waiting request has to go to another owner.
 */
export class OwnerTable {
  readonly #owners = new Map<number, string>();
  readonly #watchers = new Set<(shards: ReadonlySet<number>) => void>();
  readonly #stops: (() => void)[] = [];

  static open(bus: Bus): OwnerTable {
    const table = new OwnerTable();
    const ask = () => bus.publish(OWNERS_ASK, new Uint8Array());
    table.#stops.push(bus.listen(OWNERS, (data) => table.#heard(data)));
    table.#stops.push(bus.onReconnect(ask));
    ask();
    return table;
  }

  /** Id of the shard's owner, where it is known. */
  owner(shard: number): string | undefined {
    return this.#owners.get(shard);
  }

  /** Calls back with the shards that changed hands. Returns the way to stop it. */
  onChange(callback: (shards: ReadonlySet<number>) => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#watchers.clear();
  }

  #heard(data: Uint8Array): void {
    let value: unknown;
    try {
      value = JSON.parse(utf8.decode(data));
    } catch {
      return;
    }
    if (!isAnnouncement(value)) return;
    const changed = this.#apply(value);
    if (changed.size > 0) for (const watcher of this.#watchers) watcher(changed);
  }

  #apply({ id, shards }: OwnersAnnouncement): ReadonlySet<number> {
    const changed = new Set<number>();
    const owned = new Set(shards);
    for (const [shard, owner] of this.#owners) {
      if (owner === id && !owned.has(shard)) this.#owners.delete(shard);
    }
    for (const shard of owned) {
      if (this.#owners.get(shard) === id) continue;
      this.#owners.set(shard, id);
      changed.add(shard);
    }
    return changed;
  }
}
