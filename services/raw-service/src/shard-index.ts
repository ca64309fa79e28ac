import { type Logger, monotonicNow, type ShardRouter } from '@tidegate/bus';
import type { VariableHandle } from '@tidegate/client/region';
import {
  ConflictError,
  type HybridClock,
  type IndexReply,
  type IndexRequest,
  indexEntry,
  type PartitionRecord,
  type RawId,
  type ShardReply,
  type Tier,
  type TierRequest,
  UnavailableError,
  type UnindexRequest,
} from '@tidegate/protocol';

/** Longest that an index request looks for the owners of its shards: longer than a take-over lasts. */
const INDEX_MS = 15_000;
const UNINDEX_MS = 10_000;
/** Each turn answers another, newer or competing partition that arrived meanwhile. */
const MAX_TURNS = 32;
/** Removals that could not be told yet; beyond it the oldest are given up to the next inventory. */
const MAX_OWED = 10_000;

export type IndexOutcome =
  | { readonly kind: 'indexed'; readonly record: PartitionRecord }
  /** The id stands at another live raw-service. */
  | { readonly kind: 'duplicate'; readonly raw: RawId };

/** What `unindex` needs to know of partitions of one step. */
export interface Removal {
  readonly handle: VariableHandle;
  readonly records: readonly PartitionRecord[];
  readonly reason: UnindexRequest['reason'];
  readonly floor?: number;
}

export interface ShardIndexOptions {
  readonly raw: RawId;
  readonly incarnation: string;
  readonly router: ShardRouter;
  readonly clock: HybridClock;
  readonly logger: Logger;
}

/** Keeps the shards' index true to what this raw-service holds. */
export class ShardIndex {
  readonly #options: ShardIndexOptions;
  readonly #owed = new Set<Removal>();
  #paying: Promise<void> | undefined;
  #stopped = new AbortController();

  constructor(options: ShardIndexOptions) {
    this.#options = options;
  }

  /**
   * Indexes a partition at every shard that it touches. It may come back with a higher stamp: a newer overlapping
   * partition stood already, and this put, begun later, must win. `changed` hears of each stamp before it is sent.
   *
   * @throws ConflictError where the run was rolled back meanwhile; UnavailableError where a shard has no owner in time
   */
  async index(
    handle: VariableHandle,
    first: PartitionRecord,
    changed: (record: PartitionRecord) => void,
  ): Promise<IndexOutcome> {
    const { raw, incarnation, router, clock } = this.#options;
    const shards = handle.map.shardsOf(first.box);
    const deadline = monotonicNow() + INDEX_MS;
    let record = first;
    let replace = false;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const entry = indexEntry(record, raw, 'memory');
      const replies = await this.#ask(
        router.groups(shards),
        { entry, incarnation, ...(replace && { replace: true as const }) },
        deadline,
      );
      let above = -1;
      let competing = false;
      for (const [at, group] of replies.entries()) {
        for (const { outcome } of group) {
          if (outcome.kind === 'superseded') {
            throw new ConflictError(
              `run "${record.run}" was rolled back below step ${record.step} while the put was under way`,
              { epoch: outcome.epoch },
            );
          }
          if (outcome.kind === 'stale')
            throw new UnavailableError(`raw-service ${raw} was started again elsewhere`, 1000);
          // The group of the lowest touched shard comes first, and the lowest shard arbitrates ids.
          if (outcome.kind === 'duplicate' && at === 0) return { kind: 'duplicate', raw: outcome.raw };
          if (outcome.kind === 'duplicate') competing = true;
          if (outcome.kind === 'restamp') above = Math.max(above, outcome.above);
        }
      }
      if (above < 0 && !competing) return { kind: 'indexed', record };
      if (competing) replace = true;
      if (above >= 0) {
        clock.receive(above as PartitionRecord['stamp']);
        record = { ...record, stamp: clock.next() };
        changed(record);
      }
    }
    throw new UnavailableError(`${MAX_TURNS} overlapping puts arrived while this one was under way`, 50);
  }

  /** Asks each owner. When one fails the others are asked no more: an undone put must not be indexed late. */
  async #ask(
    groups: readonly (readonly number[])[],
    body: Omit<IndexRequest, 'shards'>,
    deadline: number,
  ): Promise<readonly (readonly IndexReply[])[]> {
    const stopped = this.#stopped.signal;
    const failed = groups.length > 1 ? new AbortController() : undefined;
    const signal = failed ? AbortSignal.any([stopped, failed.signal]) : stopped;
    const options = { deadline, signal };
    try {
      return await Promise.all(
        groups.map((group) =>
          this.#options.router.request<IndexRequest, IndexReply>('index', group, () => body, options),
        ),
      );
    } catch (error) {
      failed?.abort(error);
      throw error;
    }
  }

  /** Tells the shards that partitions are gone, and keeps telling until they know. */
  forget(removal: Removal): void {
    if (this.#owed.size >= MAX_OWED) {
      const [oldest] = this.#owed;
      if (oldest) this.#owed.delete(oldest);
      this.#options.logger.error(
        { owed: MAX_OWED },
        'too many removals are owed to shards without an owner: the oldest is left to the next inventory',
      );
    }
    this.#owed.add(removal);
    this.#paying ??= this.#pay().finally(() => {
      this.#paying = undefined;
    });
  }

  /** The same, once, and waits for it. @throws UnavailableError, TimeoutError */
  async unindex({ handle, records, reason, floor }: Removal): Promise<void> {
    const [first] = records;
    if (!first) return;
    const { shards, ...what } = addressed(handle, first, records);
    await this.#options.router.request<UnindexRequest, ShardReply>(
      'unindex',
      shards,
      () => ({ raw: this.#options.raw, ...what, reason, ...(floor !== undefined && { floor }) }),
      { deadline: monotonicNow() + UNINDEX_MS, signal: this.#stopped.signal },
    );
  }

  /** Tells the shards of a move between tiers. Advisory: a loss costs a wrong `tier` in a reply. */
  moved(handle: VariableHandle, records: readonly PartitionRecord[], tier: Tier): void {
    const [first] = records;
    if (!first) return;
    const { shards, ...what } = addressed(handle, first, records);
    this.#options.router
      .request<TierRequest, ShardReply>('tier', shards, () => ({ raw: this.#options.raw, ...what, tier }), {
        deadline: monotonicNow() + UNINDEX_MS,
        signal: this.#stopped.signal,
      })
      .catch((error: unknown) => {
        if (!this.#stopped.signal.aborted)
          this.#options.logger.warn(
            { err: error, variable: what.variable, step: what.step },
            'a shard shows an old tier for these partitions',
          );
      });
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new UnavailableError('the raw-service is stopping', 1000));
    await this.#paying;
  }

  async #pay(): Promise<void> {
    while (this.#owed.size > 0 && !this.#stopped.signal.aborted) {
      const batch = [...this.#owed].slice(0, 32);
      await Promise.all(
        batch.map(async (removal) => {
          try {
            await this.unindex(removal);
            this.#owed.delete(removal);
          } catch (error) {
            if (!this.#stopped.signal.aborted)
              this.#options.logger.warn(
                { err: error, partitions: removal.records.length },
                'shards do not know of a removal yet: told again',
              );
          }
        }),
      );
    }
  }
}

/** Partitions of one step with the shards that any of them touches: an id that a shard never heard of is no error there. */
function addressed(
  handle: VariableHandle,
  { variable, run, step }: PartitionRecord,
  records: readonly PartitionRecord[],
) {
  const shards = new Set<number>();
  for (const { box } of records) for (const shard of handle.map.shardsOf(box)) shards.add(shard);
  return { shards: [...shards].sort((a, b) => a - b), variable, run, step, ids: records.map(({ id }) => id) };
}
