import { inParallel, type Logger } from '@tidegate/bus';
import type { PartitionId, ReleaseReply, ReleaseRequest } from '@tidegate/protocol';
import type { Catalog } from './catalog.js';
import type { PartitionStore } from './partition-store.js';
import type { ShardIndex } from './shard-index.js';
import { groupBySteps } from './step-groups.js';

/** Steps whose shards are told at a time. */
const LANES = 16;

export interface ReleasesOptions {
  readonly store: PartitionStore;
  readonly catalog: Catalog;
  readonly index: ShardIndex;
  readonly logger: Logger;
}

/** Forgets partitions: first at the shards and then here, so that no plan names what is gone. */
export class Releases {
  readonly #options: ReleasesOptions;
  readonly #leaving = new Set<string>();

  constructor(options: ReleasesOptions) {
    this.#options = options;
  }

  /** True while a partition is being released: no inventory tells it any more. */
  isLeaving(id: string): boolean {
    return this.#leaving.has(id);
  }

  /** Releases partitions; unknown ids are no error. A shard without an owner is told later. */
  async release({ ids, reason }: ReleaseRequest): Promise<ReleaseReply> {
    for (const id of ids) this.#leaving.add(id);
    try {
      await this.#unindex(ids, reason);
      const { partitions, bytes } = await this.#options.store.remove(ids);
      return { partitions, bytes };
    } finally {
      for (const id of ids) this.#leaving.delete(id);
    }
  }

  async #unindex(ids: readonly PartitionId[], reason: ReleaseRequest['reason']): Promise<void> {
    const { store, catalog, index, logger } = this.#options;
    const records = ids.flatMap((id) => store.get(id)?.record ?? []);
    await inParallel(groupBySteps(catalog, records), LANES, async (group) => {
      const removal = { ...group, reason };
      try {
        await index.unindex(removal);
      } catch (error) {
        // Some shards may know already, so there is no way back.
        logger.warn(
          { err: error, partitions: group.records.length },
          'a shard is told later of partitions that are deleted now',
        );
        index.forget(removal);
      }
    });
  }
}
