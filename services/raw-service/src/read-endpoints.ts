import { isOpaque } from '@tidegate/array';
import { type Bus, type Handler, type Outgoing, type Subscribed, subscribe } from '@tidegate/bus';
import type { VariableHandle } from '@tidegate/client/region';
import { contains, formatBox, isGeometryError, parseBox } from '@tidegate/geometry';
import {
  BadRequestError,
  type DiscardRequest,
  HEADERS,
  type InventoryReply,
  type InventoryRequest,
  indexEntry,
  type LookupRequest,
  NotFoundError,
  type PartitionRecord,
  type RawId,
  type RawOperation,
  type ReadRequest,
  type ReleaseReply,
  type ReleaseRequest,
  rawSubject,
  TooLargeError,
} from '@tidegate/protocol';
import type { Catalog } from './catalog.js';
import { idList, jsonBody, jsonReply } from './json-body.js';
import type { PartitionStore } from './partition-store.js';
import type { PutFlow } from './put-flow.js';
import type { Releases } from './release.js';

export interface ReadEndpointsOptions {
  readonly bus: Bus;
  readonly raw: RawId;
  readonly incarnation: string;
  readonly store: PartitionStore;
  readonly puts: PutFlow;
  readonly catalog: Catalog;
  readonly releases: Releases;
}

/** Entries of one inventory page. */
const PAGE = 2000;

/** Answers what shards, SDKs and other raw-services ask of the partitions here (`tide.v1.raw.<id>.…`). */
export function serveReads(options: ReadEndpointsOptions): readonly Subscribed[] {
  const { bus, raw, puts, releases } = options;
  const on = (operation: RawOperation, handler: Handler) => subscribe(bus, rawSubject(raw, operation), handler);
  return [
    on('read', (request) => read(options, jsonBody<ReadRequest>(request))),
    on('inventory', (request) => jsonReply(inventory(options, jsonBody<InventoryRequest>(request)))),
    on('lookup', async (request) => {
      const { id, waitMs } = jsonBody<LookupRequest>(request);
      if (typeof id !== 'string') throw new BadRequestError('id', 'expected an id');
      return jsonReply(await puts.lookup({ id, ...(typeof waitMs === 'number' && { waitMs }) }));
    }),
    on('release', async (request) => {
      const { ids, reason } = jsonBody<ReleaseRequest>(request);
      return jsonReply(
        await releases.release({ ids: idList(ids), reason: reason === 'rollback' ? 'rollback' : 'deleted' }),
      );
    }),
    on('discard', async (request) => {
      const { partitions, bytes } = await options.store.remove(idList(jsonBody<DiscardRequest>(request).ids));
      return jsonReply({ partitions, bytes } satisfies ReleaseReply);
    }),
  ];
}

async function read({ bus, store, puts }: ReadEndpointsOptions, request: Partial<ReadRequest>): Promise<Outgoing> {
  const { id, box, offset, length, epoch } = request;
  if (typeof id !== 'string') throw new BadRequestError('id', 'expected an id');
  // A plan may name a partition whose put is about to be acknowledged: its bytes are there when it is.
  if (!store.has(id)) await puts.settled(id);
  const found = store.get(id);
  if (!found) throw new NotFoundError(`partition ${id} is not here (any more)`);
  if (typeof box === 'string') {
    const part = parsePart(box, found.record);
    const data = await store.read(id, part);
    return typeof epoch === 'number' ? { data, headers: { [HEADERS.epoch]: String(epoch) } } : { data };
  }
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset === undefined ||
    length === undefined ||
    offset < 0 ||
    length < 0 ||
    offset + length > found.record.bytes
  ) {
    throw new BadRequestError(
      'offset',
      `expected a range inside 0 … ${found.record.bytes}, got offset ${offset} and length ${length}`,
    );
  }
  if (length > bus.maxPayload)
    throw new TooLargeError(`expected a range of at most ${bus.maxPayload} bytes, got ${length}`, bus.maxPayload);
  return { data: await store.readBytes(id, offset, length) };
}

function parsePart(text: string, record: PartitionRecord) {
  try {
    const part = parseBox(text);
    if (!contains(record.box, part))
      throw new BadRequestError('box', `expected a box inside ${formatBox(record.box)}, got ${text}`);
    if (isOpaque(record.dtype)) throw new BadRequestError('box', 'an opaque partition is read by offset and length');
    return part;
  } catch (error) {
    if (isGeometryError(error)) throw new BadRequestError('box', error.message, { cause: error });
    throw error;
  }
}

/**
 * One page of what touches a shard, in the order of ids, so that a page after `cursor` misses nothing that was there
 * when the first page was asked for; what comes later is told by `index` to the subscribed owner.
 */
function inventory(
  { store, puts, catalog, raw, incarnation, releases }: ReadEndpointsOptions,
  { shard, cursor = '' }: Partial<InventoryRequest>,
): InventoryReply {
  if (!Number.isSafeInteger(shard) || shard === undefined) throw new BadRequestError('shard', 'expected a shard');
  const touches = (record: PartitionRecord, handle: VariableHandle | undefined) =>
    handle?.map.shardsOf(record.box).includes(shard) ?? false;
  const found: { readonly record: PartitionRecord; readonly tier: 'memory' | 'disk' }[] = [];
  const consider = (record: PartitionRecord, tier: 'memory' | 'disk') => {
    if (record.id > cursor && !releases.isLeaving(record.id) && touches(record, catalog.known(record.variable)))
      found.push({ record, tier });
  };
  for (const { record, tier } of store.records()) consider(record, tier);
  for (const record of puts.underway()) if (!store.has(record.id)) consider(record, 'memory');
  found.sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
  const page = found.slice(0, PAGE);
  const last = page.at(-1);
  return {
    incarnation,
    entries: page.map(({ record, tier }) => indexEntry(record, raw, tier)),
    floors: store.floors(),
    ...(found.length > page.length && last && { cursor: last.record.id }),
  };
}
