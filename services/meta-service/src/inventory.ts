import type { Bus, Logger } from '@tidegate/bus';
import { within } from '@tidegate/geometry';
import {
  type IndexEntry,
  type InventoryReply,
  type InventoryRequest,
  isSuperseded,
  type RawId,
  type ReleaseRequest,
  type RunRecord,
  rawSubject,
} from '@tidegate/protocol';
import type { MetaIndex } from './meta-index.js';
import { readEntry } from './shard-request.js';
import { heldEntry } from './step-index.js';
import type { VariableIndex } from './variable-index.js';

/** How long a raw-service may take for one page; a shard's first owner-to-be waits no longer for it. */
const PAGE_MS = 2000;
/** Most ids of one `release` or `discard`. */
const RELEASE_IDS = 10_000;

/** What reading inventories needs. */
export interface InventoryContext {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly index: MetaIndex;
  variable(name: string): Promise<VariableIndex | undefined>;
  rollback(run: string): RunRecord | undefined;
}

/** One reading of what a raw-service holds in a shard. */
export interface InventoryReading {
  readonly raw: RawId;
  readonly shard: number;
  /** Ids that were removed while it was being read: they win over what it tells. */
  readonly removed: Set<string>;
  readonly signal: AbortSignal;
}

/** What a raw-service holds but should not, and why. */
type Leftovers = Map<ReleaseRequest['reason'], string[]>;

/**
 * Takes in what a raw-service holds in a shard, page by page.
 *
 * @returns the start of the raw-service's process that told it
 * @throws NoResponderError, a time-out, or the signal's reason; what was read until then stays in
 */
export async function readInventory(context: InventoryContext, reading: InventoryReading): Promise<string> {
  const { bus } = context;
  const { raw, shard, signal } = reading;
  const leftovers: Leftovers = new Map();
  const losers = new Map<RawId, string[]>();
  let cursor: string | undefined;
  let incarnation: string | undefined;
  do {
    const request: InventoryRequest = cursor === undefined ? { shard } : { shard, cursor };
    const page = await bus.requestJson<InventoryReply>(rawSubject(raw, 'inventory'), request, {
      timeoutMs: PAGE_MS,
      signal,
    });
    if (incarnation !== undefined && page.incarnation !== incarnation) {
      // Started anew in between: its cursors mean nothing any more.
      cursor = undefined;
      incarnation = undefined;
      continue;
    }
    incarnation = page.incarnation;
    await takeIn(context, reading, page, { leftovers, losers });
    cursor = page.cursor;
  } while (cursor !== undefined || incarnation === undefined);
  tidy(context, raw, leftovers, losers);
  return incarnation;
}

async function takeIn(
  context: InventoryContext,
  reading: InventoryReading,
  page: InventoryReply,
  found: { readonly leftovers: Leftovers; readonly losers: Map<RawId, string[]> },
): Promise<void> {
  const { raw, shard, removed, signal } = reading;
  const variables = new Map<string, VariableIndex | undefined>();
  const named = [...page.entries.map((entry) => entry.variable), ...page.floors.map((floor) => floor.variable)];
  for (const name of named) if (!variables.has(name)) variables.set(name, await context.variable(name));
  // From here to the end without a pause: a removal may come in between pages, not inside one.
  signal.throwIfAborted();
  for (const told of page.entries) {
    const entry = entryOf(context, raw, told);
    if (entry === undefined || removed.has(entry.id)) continue;
    const variable = variables.get(entry.variable);
    if (variable === undefined) push(found.leftovers, 'deleted', entry.id);
    else if (isSuperseded(context.rollback(entry.run), entry)) push(found.leftovers, 'rollback', entry.id);
    else if (!within(entry.box, variable.record.shape)) {
      context.logger.warn(
        { raw, id: entry.id, variable: entry.variable },
        'a partition lies outside the domain of its variable and is not indexed',
      );
    } else {
      const lowest = variable.map.shardsOf(entry.box)[0] ?? 0;
      const held = heldEntry(entry, lowest, [shard], page.incarnation);
      const loser = variable.openRun(entry.run).change(entry.step, (step) => step.adopt(held));
      if (loser !== undefined && lowest === shard) push(found.losers, loser, entry.id);
    }
  }
  for (const { variable, run, floor } of page.floors) variables.get(variable)?.openRun(run).raiseFloor(floor);
}

function entryOf(context: InventoryContext, raw: RawId, told: unknown): IndexEntry | undefined {
  try {
    return { ...readEntry(told), raw };
  } catch (error) {
    context.logger.error({ raw, err: error }, 'an entry of an inventory is unreadable: its partition cannot be found');
    return undefined;
  }
}

function push<K>(lists: Map<K, string[]>, key: K, id: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [id]);
  else list.push(id);
}

/** Tells raw-services what to let go of. If it fails, the next inventory tells the same again. */
function tidy(context: InventoryContext, raw: RawId, leftovers: Leftovers, losers: ReadonlyMap<RawId, string[]>): void {
  for (const [reason, ids] of leftovers) send(context, raw, 'release', ids, { reason });
  for (const [loser, ids] of losers) send(context, loser, 'discard', ids, {});
}

function send(
  context: InventoryContext,
  raw: RawId,
  operation: 'release' | 'discard',
  ids: readonly string[],
  rest: object,
): void {
  for (let from = 0; from < ids.length; from += RELEASE_IDS) {
    const body = { ids: ids.slice(from, from + RELEASE_IDS), ...rest };
    context.logger.info({ raw, count: body.ids.length, ...rest }, `asks a raw-service to ${operation} partitions`);
    context.bus.requestJson(rawSubject(raw, operation), body, { timeoutMs: 5 * PAGE_MS }).catch((error: unknown) => {
      context.logger.warn({ raw, err: error }, `a raw-service did not ${operation} partitions that it should not hold`);
    });
  }
}
