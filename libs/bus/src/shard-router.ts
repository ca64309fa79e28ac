import { type ShardOperation, type ShardReply, type ShardRequest, shardSubject } from '@tidegate/protocol';
import { monotonicNow, sleep } from './clock.js';
import type { Bus } from './connect.js';
import type { OwnerTable } from './owner-table.js';
import { retrying } from './retry.js';

/** An attempt that has no wait of its own is repeated after this long without an answer: its owner may be gone. */
const ATTEMPT_MS = 2000;
/** A waiting request is repeated at least this often, lest a lost message make it wait in vain. */
const REFRESH_MS = 20_000;
/** Before asking again those that just disowned every shard of a request. */
const PAUSE_MS = 20;

export interface RouteOptions {
  /** Monotonic milliseconds (`monotonicNow`): no attempt outlives it. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

class OwnerChanged extends Error {
  override readonly name = 'OwnerChanged';
}

/**
 * Sends requests to the owners of shards: one message for all shards of one owner, sent again where an owner is gone,
 * does not answer, or says that it does not own a shard (any more).
 */
export class ShardRouter {
  readonly #bus: Bus;
  readonly #owners: OwnerTable;

  constructor(bus: Bus, owners: OwnerTable) {
    this.#bus = bus;
    this.#owners = owners;
  }

  /** Shards by owner; a shard whose owner is not known stands alone. Each group and the list are in rising order. */
  groups(shards: readonly number[]): readonly (readonly number[])[] {
    const byOwner = new Map<string, number[]>();
    const groups: number[][] = [];
    for (const shard of shards) {
      const owner = this.#owners.owner(shard);
      const group = owner === undefined ? undefined : byOwner.get(owner);
      if (group) {
        group.push(shard);
        continue;
      }
      const fresh = [shard];
      groups.push(fresh);
      if (owner !== undefined) byOwner.set(owner, fresh);
    }
    return groups;
  }

  /**
   * Replies that together speak for every shard of `shards`.
   *
   * @param body makes the request's body but for `shards`; called for each attempt with the milliseconds that remain
   * @param waitMs how long an owner may take by its own intent (a waiting plan), part of the deadline
   * @throws UnavailableError or TimeoutError at the deadline
   */
  async request<Q extends ShardRequest, R extends ShardReply>(
    operation: ShardOperation,
    shards: readonly number[],
    body: (remainingMs: number) => Omit<Q, 'shards'>,
    options: RouteOptions & { readonly waitMs?: number },
  ): Promise<readonly R[]> {
    const replies: R[] = [];
    const waitUntil = monotonicNow() + (options.waitMs ?? 0);
    const group = async (members: readonly number[]): Promise<void> => {
      const left = await retrying(async (remainingMs) => {
        const waits = waitUntil > monotonicNow();
        const reply = await this.#attempt<R>(operation, members, body(remainingMs), remainingMs, waits, options.signal);
        if (reply === 'again') return members;
        const notOwned = reply.notOwned ?? [];
        if (notOwned.length < members.length) replies.push(reply);
        return notOwned;
      }, options);
      if (left.length === 0) return;
      if (left.length === members.length) await sleep(PAUSE_MS, options.signal);
      await all(left.length === members.length ? this.groups(left) : left.map((shard) => [shard]));
    };
    const all = async (groups: readonly (readonly number[])[]): Promise<void> => {
      if (groups.length === 1 && groups[0]) await group(groups[0]);
      else await Promise.all(groups.map(group));
    };
    await all(this.groups(shards));
    return replies;
  }

  async #attempt<R>(
    operation: ShardOperation,
    shards: readonly number[],
    body: object,
    remainingMs: number,
    waits: boolean,
    signal: AbortSignal | undefined,
  ): Promise<R | 'again'> {
    const subject = shardSubject(shards[0] ?? 0, operation);
    const message = { ...body, shards };
    if (!waits) {
      return this.#bus.requestJson<R>(subject, message, {
        timeoutMs: Math.min(remainingMs, ATTEMPT_MS),
        ...(signal && { signal }),
      });
    }
    const moved = new AbortController();
    const again = () => moved.abort(new OwnerChanged('the shard has a new owner'));
    const stopWatching = this.#owners.onChange((changed) => {
      if (shards.some((shard) => changed.has(shard))) again();
    });
    const stopReconnect = this.#bus.onReconnect(again);
    const refresh = setTimeout(again, REFRESH_MS);
    try {
      return await this.#bus.requestJson<R>(subject, message, {
        timeoutMs: remainingMs,
        signal: signal ? AbortSignal.any([signal, moved.signal]) : moved.signal,
      });
    } catch (error) {
      if (error instanceof OwnerChanged) return 'again';
      throw error;
    } finally {
      clearTimeout(refresh);
      stopWatching();
      stopReconnect();
    }
  }
}
