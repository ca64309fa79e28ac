import { monotonicNow, type ShardRouter, sleep } from '@tidegate/bus';
import { type Box, formatBox } from '@tidegate/geometry';
import { absentError, type CoveredReply, type CoveredRequest, STEPS_LIMIT } from '@tidegate/protocol';
import type { VariableHandle } from './variable-handle.js';

/** Which covered step is looked for: the newest, or the first above one. */
export type StepSearch = { readonly newestAbove: number } | { readonly firstAbove: number };

export interface CoveredSearch {
  readonly variable: VariableHandle;
  readonly run: string;
  readonly box: Box;
  readonly search: StepSearch;
}

export interface SearchOptions {
  /** Monotonic milliseconds up to which a step may still become covered. */
  readonly waitUntil: number;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_LIMIT = 64;
const REGROUP_MS = 20;

/**
 * The covered step that the search asks for, or undefined when the wait ends without one.
 *
 * A step is covered when every shard says so of its own part. Each owner's list is followed by a long poll of its own,
 * and the lists are intersected whenever one of them changes, so the answer comes with the last shard's change and no
 * step is passed over, in whatever order the shards complete them.
 */
export async function findCovered(
  router: ShardRouter,
  what: CoveredSearch,
  options: SearchOptions,
): Promise<number | undefined> {
  for (;;) {
    const outcome = await follow(router, what, options);
    if (outcome !== 'regroup') return outcome;
    await sleep(REGROUP_MS, options.signal);
  }
}

interface Listed {
  readonly steps: readonly number[];
  readonly more: boolean;
}

async function follow(
  router: ShardRouter,
  what: CoveredSearch,
  options: SearchOptions,
): Promise<number | undefined | 'regroup'> {
  const groups = router.groups(what.variable.map.shardsOf(what.box));
  const lists: (Listed | undefined)[] = groups.map(() => undefined);
  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
  try {
    return await new Promise((resolve, reject) => {
      let waiting = groups.length;
      groups.forEach((group, at) => {
        followGroup(router, group, what, { ...options, signal }, (listed) => {
          lists[at] = listed;
          const step = common(lists, 'newestAbove' in what.search);
          if (step !== undefined) resolve(step);
          return step !== undefined;
        }).then((outcome) => {
          waiting--;
          if (outcome === 'regroup') resolve('regroup');
          else if (waiting === 0) resolve(undefined);
        }, reject);
      });
    });
  } finally {
    ended.abort();
  }
}

/** Tells each new state of one owner's list until `told` says that it suffices, or the wait ends. */
async function followGroup(
  router: ShardRouter,
  group: readonly number[],
  what: CoveredSearch,
  options: SearchOptions & { readonly signal: AbortSignal },
  told: (listed: Listed) => boolean,
): Promise<'ended' | 'regroup'> {
  const newest = 'newestAbove' in what.search;
  const after = 'newestAbove' in what.search ? what.search.newestAbove : what.search.firstAbove;
  let limit = FIRST_LIMIT;
  let version: string | undefined;
  for (;;) {
    const waitMs = version === undefined ? 0 : Math.max(0, Math.round(options.waitUntil - monotonicNow()));
    const known = version;
    const replies: readonly CoveredReply[] = await router.request<CoveredRequest, CoveredReply>(
      'covered',
      group,
      () => ({
        variable: what.variable.record.name,
        run: what.run,
        box: formatBox(what.box),
        after,
        order: newest ? 'newest' : 'oldest',
        limit,
        ...(known !== undefined && { version: known }),
        waitMs: known === undefined ? 0 : Math.max(0, Math.round(options.waitUntil - monotonicNow())),
      }),
      { deadline: options.deadline, signal: options.signal, waitMs },
    );
    const [reply] = replies;
    if (replies.length !== 1 || !reply) return 'regroup';
    if (reply.absent?.length) {
      if (monotonicNow() > options.waitUntil) {
        throw absentError(reply.absent);
      }
      await sleep(REGROUP_MS, options.signal);
      continue;
    }
    if (told(reply)) return 'ended';
    if (reply.more && limit < STEPS_LIMIT) {
      limit = STEPS_LIMIT;
      version = undefined;
      continue;
    }
    version = reply.version;
    if (monotonicNow() >= options.waitUntil) return 'ended';
  }
}

/** The step that every list holds: the newest or the oldest such. */
function common(lists: readonly (Listed | undefined)[], newest: boolean): number | undefined {
  const [first, ...others] = lists;
  if (!first) return undefined;
  const sets = others.map((list) => new Set(list?.steps ?? []));
  let found: number | undefined;
  for (const step of first.steps) {
    if (!sets.every((set) => set.has(step))) continue;
    if (found === undefined || (newest ? step > found : step < found)) found = step;
  }
  return found;
}
