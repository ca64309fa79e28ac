import { hostname } from 'node:os';
import {
  type Announcement,
  announce,
  type Bus,
  ensureStream,
  KvCache,
  LeaseKeeper,
  type Logger,
  newIncarnation,
  OwnerTable,
  openBucket,
  Roster,
  ShardRouter,
  serve,
  serveSync,
  subscribe,
} from '@tidegate/bus';
import {
  BUCKETS,
  encodeBody,
  type LeaseRecord,
  type MemberRecord,
  OWNERS,
  OWNERS_ASK,
  type OwnersAnnouncement,
  type RawId,
  rawSubject,
  type ShardOperation,
  STREAMS,
  shardSubject,
  UnavailableError,
} from '@tidegate/protocol';
import { openClusterState, upToDate } from './cluster-state.js';
import type { Coordinator } from './coordinator.js';
import { deleteEndpoints } from './delete-endpoints.js';
import { MetaIndex } from './meta-index.js';
import { pinEndpoints } from './pin-endpoints.js';
import { PlanCache } from './plan-cache.js';
import { PointerPublisher } from './pointer-publisher.js';
import { queryEndpoints } from './query-endpoints.js';
import { RawStarts } from './raw-starts.js';
import { ShardEndpoints } from './shard-endpoints.js';
import { ShardOwner } from './shard-owner.js';
import { TriggerPointers } from './trigger-pointers.js';
import { variableEndpoints } from './variable-endpoints.js';
import { WaitRoom } from './wait-room.js';

/** How a meta-service starts. */
export interface MetaServiceOptions {
  readonly bus: Bus;
  /** Default: a fresh one. What a meta-service knows does not outlive it, so neither need its name. */
  readonly id?: string;
  readonly logger: Logger;
  /** Number of shards of a cluster that is made now; a standing cluster keeps its own. */
  readonly shards?: number;
}

/** A running meta-service. */
export interface MetaService {
  readonly id: string;
  /** Hands its shards over and leaves. */
  stop(): Promise<void>;
}

const VERSION = '0.1.0';
/** Requests that wait in one process; more are refused. */
const WAITS_LIMIT = 65_536;
const PLANS_KEPT = 64;
const ANNOUNCE_MS = 2000;
const STOPPING_MS = 50;
const utf8 = new TextEncoder();

/**
 * Starts a meta-service: announces itself, takes the leases of its share of the shards, fills their index from the
 * raw-services, and answers the public endpoints.
 *
 * @throws UnavailableError without NATS and JetStream
 */
export async function startMetaService({ bus, id: wanted, logger, shards }: MetaServiceOptions): Promise<MetaService> {
  const incarnation = newIncarnation();
  const id = wanted ?? `meta-${incarnation.slice(-10).toLowerCase()}`;
  const startedAt = new Date().toISOString();
  await Promise.all([ensureStream(bus, STREAMS.events), ensureStream(bus, STREAMS.pointers)]);

  const index = new MetaIndex();
  const room = new WaitRoom(WAITS_LIMIT);
  const starts = new RawStarts();
  const pointers = new TriggerPointers();
  const state = await openClusterState(
    bus,
    {
      variable: (name, record) => {
        if (record === undefined) index.markDeleted(name);
        else if (index.get(name) !== undefined) index.open(record);
      },
      run: (record) => index.rollBack(record),
      trigger: (name, record) => pointers.set(name, record),
    },
    shards,
  );
  if (shards !== undefined && shards !== state.config.shards) {
    logger.warn(
      { wanted: shards, shards: state.config.shards },
      'the cluster keeps the number of shards that it was made with',
    );
  }
  const lookUp = async (name: string) => {
    const record = await state.variables.cache.getThrough(name);
    return record && index.open(record);
  };
  const rollback = (run: string) => state.runs.cache.get(run);

  const members = await openBucket<MemberRecord>(bus, 'members');
  const raws = await openBucket<unknown>(bus, 'raws');
  const leases = await openBucket<LeaseRecord>(bus, 'leases');
  let keeper: LeaseKeeper | undefined;
  let announceOwned = () => {};
  const isLive = (raw: RawId) => roster.isLive('raw', raw);
  const owner = new ShardOwner({
    bus,
    logger,
    index,
    starts,
    room,
    variable: lookUp,
    rollback,
    isLive,
    holds: (shard) => keeper?.holds(shard) === true,
    subscribe: async (shard) => {
      const subscribed = subscribe(bus, everyOperation(shard), (request) => endpoints.handle(request), {
        maxPending: WAITS_LIMIT,
      });
      await bus.flush();
      return subscribed;
    },
    upToDate: () => upToDate(state),
    knownRaws: async () => (await raws.keys()) as RawId[],
    onChange: () => announceOwned(),
  });
  const roster = await Roster.open(bus, members, {
    onJoin: (member) => {
      if (member.kind === 'raw') owner.rawJoined(member.id as RawId, member.incarnation);
      else keeper?.check();
    },
    onLeave: () => keeper?.check(),
  });
  const endpoints = new ShardEndpoints({
    logger,
    owner,
    index,
    starts,
    room,
    plans: new PlanCache(PLANS_KEPT),
    pointers,
    publisher: new PointerPublisher({ bus }),
    maxPayload: bus.maxPayload,
    forwardRead: (raw, request, reply) => bus.forward(rawSubject(raw, 'read'), encodeBody(request, 'json'), reply),
    variable: lookUp,
    rollback,
    isLive,
    rawStarted: (raw) => owner.refresh(raw),
  });
  const rawsCache = await KvCache.open(raws, {
    onChange: (raw, _, change) => {
      if (change === 'deleted') owner.rawForgotten(raw as RawId);
    },
  });

  const tellOwned = () => {
    if (!bus.connected) return;
    const body: OwnersAnnouncement = { id, shards: owner.readyShards() };
    bus.publish(OWNERS, utf8.encode(JSON.stringify(body)));
  };
  announceOwned = coalesced(tellOwned);
  const stopAsked = bus.listen(OWNERS_ASK, tellOwned);
  const timer = setInterval(tellOwned, ANNOUNCE_MS);
  const synced = serveSync(bus, id, {
    variables: state.variables.cache,
    runs: state.runs.cache,
    pins: state.pins.cache,
    triggers: state.triggers.cache,
  });
  const owners = OwnerTable.open(bus);
  const stopping = new AbortController();
  const coordinator: Coordinator = {
    bus,
    logger,
    router: new ShardRouter(bus, owners),
    roster,
    state,
    signal: stopping.signal,
  };
  const self: MemberRecord = { id, kind: 'meta', incarnation, host: hostname(), pid: process.pid, startedAt };
  const announcement: Announcement = await announce(bus, members, () => self);
  keeper = await LeaseKeeper.open({
    leases,
    prefix: 'meta',
    owner: id,
    incarnation,
    shards: state.config.shards,
    members: () => roster.fresh('meta', BUCKETS.leases.ttlMs),
    onGained: (shard) => owner.gain(shard),
    onLosing: (shard) => owner.losing(shard),
    onLost: (shard) => owner.lost(shard),
  });
  const served = await serve(bus, {
    name: 'tidegate-meta',
    version: VERSION,
    description: 'Tidegate meta-service: variables, plans, coverage, steps',
    endpoints: [
      ...variableEndpoints(coordinator),
      ...queryEndpoints(coordinator),
      ...pinEndpoints(coordinator),
      ...deleteEndpoints(coordinator),
    ],
  });
  logger.info({ id, incarnation, shards: state.config.shards }, 'meta-service is ready');

  return {
    id,
    async stop() {
      stopping.abort(new UnavailableError(`meta-service ${id} is stopping`, STOPPING_MS));
      await served.stop();
      // Out of the roster first, so that the others want the shards when their leases become free.
      await announcement.stop();
      await keeper.stop();
      await owner.stop();
      clearInterval(timer);
      stopAsked();
      await synced.stop();
      owners.close();
      room.close();
      roster.stop();
      rawsCache.stop();
      state.stop();
    },
  };
}

/** All operations of a shard come by one subscription, so in the order in which they were sent. */
function everyOperation(shard: number): string {
  return shardSubject(shard, '*' as ShardOperation);
}

/** Several calls in one turn of the event loop become one. */
function coalesced(call: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setImmediate(() => {
      due = false;
      call();
    });
  };
}
