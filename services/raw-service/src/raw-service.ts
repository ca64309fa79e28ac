import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type Announcement,
  announce,
  type Bus,
  controlHandler,
  ensureStream,
  type Handler,
  type Logger,
  monotonicNow,
  newIncarnation,
  OwnerTable,
  openBucket,
  publishEvent,
  Roster,
  ShardRouter,
  type Subscribed,
  serve,
  serveSync,
  subscribe,
} from '@tidegate/bus';
import { busPieceSource, type PieceSource } from '@tidegate/client/region';
import {
  ACCEPT_MSGPACK,
  ENDPOINTS,
  emptySchema,
  encodeBody,
  engineSubject,
  HEADERS,
  HybridClock,
  type MemberRecord,
  parsePutHeaders,
  putOpenSchema,
  type RawId,
  type RawStorage,
  rawSubject,
  STREAMS,
  type StorageState,
  storageEventSubject,
  type UndecidedReply,
} from '@tidegate/protocol';
import { Catalog } from './catalog.js';
import { getHandler } from './get-endpoint.js';
import { rawIdentity } from './identity.js';
import { PartitionStore } from './partition-store.js';
import { PutFlow } from './put-flow.js';
import { serveReads } from './read-endpoints.js';
import { Releases } from './release.js';
import { ShardIndex } from './shard-index.js';
import { groupBySteps } from './step-groups.js';
import { StepNews } from './step-news.js';
import { clusterStorage } from './storage-endpoint.js';
import { serveTasks } from './task-endpoints.js';
import { UndecidedSteps } from './undecided-steps.js';
import { Uploads } from './upload.js';

export interface RawServiceOptions {
  readonly bus: Bus;
  /** Disk tier and identity. */
  readonly dataDir: string;
  /** Memory tier: a memory-backed folder. */
  readonly memoryDir: string;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Default: the one kept in `dataDir`, else a fresh one. */
  readonly id?: string;
  readonly segmentBytes?: number;
  readonly logger: Logger;
}

export interface RawService {
  readonly id: string;
  /** Finishes what is under way, then leaves. What it holds stays for the next start. */
  stop(): Promise<void>;
}

const VERSION = '0.1.0';
const utf8Encode = new TextEncoder();

/**
 * Starts a raw-service: finds again what its folders hold, takes its subjects, and announces itself, whereupon the
 * owners of shards ask for its inventory.
 *
 * @throws Error where the memory folder has no room for its segments; UnavailableError without NATS
 */
export async function startRawService(options: RawServiceOptions): Promise<RawService> {
  const { bus, logger } = options;
  const raw = await rawIdentity(options.dataDir, options.id);
  const incarnation = newIncarnation();
  const startedAt = new Date().toISOString();
  await ensureStream(bus, STREAMS.events);

  const catalog = await Catalog.open(bus);
  const owners = OwnerTable.open(bus);
  const router = new ShardRouter(bus, owners);
  const clock = new HybridClock(Date.now);
  const index = new ShardIndex({ raw, incarnation, router, clock, logger });
  const undecided = new UndecidedSteps({
    triggers: (variable) => catalog.triggersOn(variable),
    isCurrent: () => catalog.isCurrent,
    ask: (primary, request) =>
      bus.requestJson<UndecidedReply>(engineSubject(primary, 'undecided'), request, { timeoutMs: UNDECIDED_MS }),
    reconsider: (variable, run) => store.reconsider(variable, run),
    now: monotonicNow,
    logger,
  });
  let announced: Announcement | undefined;
  const store = await PartitionStore.open({
    id: raw,
    memoryDir: join(options.memoryDir, raw),
    dataDir: join(options.dataDir, 'disk'),
    memoryBytes: options.memoryBytes,
    diskBytes: options.diskBytes,
    ...(options.segmentBytes !== undefined && { segmentBytes: options.segmentBytes }),
    policy: (variable) => catalog.known(variable)?.record,
    isPinned: (variable, run, step) => catalog.isPinned(variable, run, step),
    isUndecided: (variable, run, step) => undecided.has(variable, run, step),
    now: monotonicNow,
    logger,
    on: {
      spilled: (records) => {
        for (const group of groupBySteps(catalog, records)) index.moved(group.handle, group.records, 'disk');
      },
      dropped: (records, floor) => {
        for (const group of groupBySteps(catalog, records)) index.forget({ ...group, reason: 'evicted', floor });
      },
      state: (state) => {
        announced?.update();
        tellState(bus, raw, store, state, logger);
      },
    },
  });
  catalog.follow({
    changed: () => store.recheck(),
    triggers: (variable) => undecided.forget({ variable }),
    run: (run) => undecided.forget({ run }),
  });
  for (const { record } of store.records()) clock.receive(record.stamp);

  const news = new StepNews(bus, store);
  const puts = new PutFlow({
    raw,
    bus,
    store,
    catalog,
    index,
    clock,
    logger,
    wallClock: Date.now,
    onStep: (record) => {
      undecided.arrived(record);
      news.seen(record);
    },
  });
  const releases = new Releases({ store, catalog, index, logger });
  const uploads = new Uploads({ bus, raw, puts, logger, wallClock: Date.now });
  const remote = busPieceSource(bus);
  const source: PieceSource = {
    readBox: async (at, id, box, read) =>
      at === raw && store.has(id) ? store.read(id, box) : remote.readBox(at, id, box, read),
    readBytes: async (at, id, offset, length, read) =>
      at === raw && store.has(id)
        ? store.readBytes(id, offset, length)
        : remote.readBytes(at, id, offset, length, read),
  };

  const members = await openBucket<MemberRecord>(bus, 'members');
  const roster = await Roster.open(bus, members);
  const putHandler: Handler = async (request) => {
    const reply = await puts.put(
      parsePutHeaders((name) => request.header(name)),
      request.data,
    );
    const encoding = request.header(HEADERS.accept) === ACCEPT_MSGPACK ? 'msgpack' : 'json';
    return { data: encodeBody(reply, encoding) };
  };
  const openHandler = controlHandler(putOpenSchema, (request) => uploads.open(request));
  const ownStorage = (): RawStorage => {
    const { state, memory, disk } = store.use();
    return { id: raw, state, memory, disk };
  };
  const internal: Subscribed[] = [
    ...serveReads({ bus, raw, incarnation, store, puts, catalog, releases }),
    serveTasks({ bus, raw, store, puts, catalog, remote, logger }),
    subscribe(bus, rawSubject(raw, 'put'), putHandler),
    subscribe(bus, rawSubject(raw, 'open'), openHandler),
    subscribe(bus, rawSubject(raw, 'storage'), () => ({ data: utf8Encode.encode(JSON.stringify(ownStorage())) })),
    serveSync(bus, raw, catalog.caches),
  ];
  const raws = await openBucket<{ since: string }>(bus, 'raws');
  await raws.create(raw, { since: startedAt });
  announced = await announce(bus, members, () => ({
    id: raw,
    kind: 'raw',
    incarnation,
    host: hostname(),
    pid: process.pid,
    startedAt,
    ...freeRoom(store),
  }));
  const served = await serve(bus, {
    name: 'tidegate-raw',
    version: VERSION,
    description: 'Tidegate raw-service: stores partitions, answers put and get',
    endpoints: [
      { ...listed('put'), handler: putHandler },
      { ...listed('putOpen'), handler: openHandler },
      { ...listed('get'), handler: getHandler({ bus, router, source, catalog }) },
      { ...listed('storage'), handler: controlHandler(emptySchema, () => clusterStorage(bus, roster, logger)) },
    ],
  });
  logger.info({ rawService: raw, incarnation, ...store.use() }, 'raw-service is ready');

  return {
    id: raw,
    async stop() {
      await served.stop();
      await announced?.stop();
      await uploads.stop();
      await Promise.all(internal.map((endpoint) => endpoint.stop()));
      news.stop();
      await index.stop();
      undecided.stop();
      // One that holds nothing is missed by nobody: its silence must not keep readers waiting.
      if (store.records().next().done) {
        await raws.delete(raw).catch((error: unknown) => logger.warn({ err: error }, 'still registered, though empty'));
      }
      await store.close();
      owners.close();
      await Promise.all([roster.stop(), catalog.stop()]);
    },
  };
}

/** How the services framework lists an endpoint. */
function listed(operation: keyof typeof ENDPOINTS) {
  const { name, subject, summary } = ENDPOINTS[operation];
  return { name, subject, metadata: { summary } };
}

/** An engine answers once it has read what was told of the steps, which takes two seconds at most. */
const UNDECIDED_MS = 4000;

function freeRoom(store: PartitionStore) {
  const { state, memory } = store.use();
  return { state, freeBytes: memory.limitBytes - memory.usedBytes, limitBytes: memory.limitBytes };
}

function tellState(bus: Bus, raw: RawId, store: PartitionStore, state: StorageState, logger: Logger): void {
  const { memory, disk } = store.use();
  const body = { rawService: raw, state, memory, disk, at: new Date().toISOString() };
  publishEvent(bus, storageEventSubject(raw), body).catch((error: unknown) => {
    logger.warn({ err: error, state }, 'subscribers were not told of a change of the storage state');
  });
}
