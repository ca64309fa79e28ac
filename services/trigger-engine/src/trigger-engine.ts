import { hostname } from 'node:os';
import {
  announce,
  type Bus,
  ensureStreams,
  LeaseKeeper,
  type Logger,
  newIncarnation,
  OwnerTable,
  openBucket,
  Roster,
  ShardRouter,
  serve,
  serveSync,
} from '@tidegate/bus';
import { variableHandle } from '@tidegate/client/region';
import { epochOf, type LeaseRecord, type MemberRecord, UnavailableError } from '@tidegate/protocol';
import { SettledLog, startDeadLetters } from './actions/index.js';
import type { EngineContext } from './engine-context.js';
import { openEngineState } from './engine-state.js';
import { Primaries } from './primaries/primaries.js';
import { checkKernels, KernelStore, type ReadingContext, readingEndpoints } from './reading/index.js';
import { Caretaker } from './registry/caretaker.js';
import { derivations } from './registry/registration.js';
import { triggerEndpoints } from './registry/trigger-endpoints.js';

/** How a trigger-engine starts. */
export interface TriggerEngineOptions {
  readonly bus: Bus;
  /** Default: a fresh one. What an engine knows does not outlive it, so neither need its name. */
  readonly id?: string;
  readonly logger: Logger;
  /** Number of shards of a cluster that is made now; a standing cluster keeps its own. */
  readonly shards?: number;
}

/** A running trigger-engine. */
export interface TriggerEngine {
  readonly id: string;
  /** Hands its primaries over and leaves. */
  stop(): Promise<void>;
}

const VERSION = '0.1.0';
const STOPPING_MS = 50;

/**
 * Starts a trigger-engine: announces itself, takes the leases of its share of the primaries, goes on with what their triggers
 * have to decide, and answers the public endpoints.
 *
 * @throws UnavailableError without NATS and JetStream
 */
export async function startTriggerEngine({
  bus,
  id: wanted,
  logger,
  shards,
}: TriggerEngineOptions): Promise<TriggerEngine> {
  const incarnation = newIncarnation();
  const id = wanted ?? `engine-${incarnation.slice(-10).toLowerCase()}`;
  await ensureStreams(bus);

  let primaries: Primaries | undefined;
  let caretaker: Caretaker | undefined;
  let keeper: LeaseKeeper | undefined;
  const state = await openEngineState(
    bus,
    {
      variable: (name) => {
        // What is there at first comes before anything stands that could go with it.
        if (caretaker === undefined) return;
        for (const [trigger, { value }] of state.triggers.cache.entries()) {
          if (value.definition.on.variable === name) caretaker.orphan(trigger);
        }
      },
      run: (name, record) => record && primaries?.rolledBack(name, record),
      trigger: (_, record) => {
        if (record === undefined) return;
        caretaker?.changed(record);
        primaries?.changed(record);
      },
    },
    shards,
  );
  const members = await openBucket<MemberRecord>(bus, 'members');
  const leases = await openBucket<LeaseRecord>(bus, 'leases');
  const roster = await Roster.open(bus, members, {
    onJoin: () => keeper?.check(),
    onLeave: () => keeper?.check(),
  });
  const owners = OwnerTable.open(bus);
  const settled = await SettledLog.open(bus, logger);
  const stopping = new AbortController();
  const context: EngineContext = {
    bus,
    logger,
    router: new ShardRouter(bus, owners),
    roster,
    state,
    settled,
    wallClock: Date.now,
    signal: stopping.signal,
    variable: async (name) => {
      const record = await state.variables.cache.getThrough(name);
      return record && variableHandle(record);
    },
  };
  const kernels = await KernelStore.open(bus);
  const reading: ReadingContext = {
    ...context,
    kernels,
    trigger: async (name) => (await state.triggers.bucket.get(name))?.value,
    derivations: (except) => derivations(context, except),
    epochOf: ({ variable, run, step }) => epochOf(state.runs.cache.get(run), variable, step),
  };
  const holds = (shard: number): boolean => keeper?.holds(shard) === true;
  caretaker = new Caretaker(context, holds);
  const care = caretaker;
  const owned = new Primaries({ context, holds, onOrphan: ({ name }) => care.orphan(name) });
  primaries = owned;
  for (const [, { value }] of state.triggers.cache.entries()) {
    care.changed(value);
    owned.changed(value);
  }
  const synced = serveSync(bus, id, {
    variables: state.variables.cache,
    runs: state.runs.cache,
    triggers: state.triggers.cache,
  });
  const startedAt = new Date(context.wallClock()).toISOString();
  const self: MemberRecord = { id, kind: 'engine', incarnation, host: hostname(), pid: process.pid, startedAt };
  const announcement = await announce(bus, members, () => self);
  const handedOver = (shard: number) => new UnavailableError(`shard ${shard} goes to another engine`, 0);
  const held = await LeaseKeeper.open({
    leases,
    prefix: 'engine',
    owner: id,
    incarnation,
    shards: state.config.shards,
    members: () => roster.fresh('engine', leases.ttlMs),
    onGained: (shard) => owned.gain(shard),
    onLosing: (shard) => owned.lose(shard, handedOver(shard)),
    onLost: (shard) => {
      owned.lose(shard, handedOver(shard)).catch((error: unknown) => {
        logger.error({ err: error, shard }, 'a primary that was lost did not come to rest');
      });
    },
  });
  keeper = held;
  const deadLetters = startDeadLetters(bus, logger);
  const served = await serve(bus, {
    name: 'tidegate-engine',
    version: VERSION,
    description: 'Tidegate trigger-engine: triggers, their decisions and actions',
    endpoints: [
      ...triggerEndpoints(context, (definition) => checkKernels(reading, definition)),
      ...readingEndpoints(reading),
    ],
  });
  logger.info({ id, incarnation, shards: state.config.shards }, 'trigger-engine is ready');

  return {
    id,
    async stop() {
      const reason = new UnavailableError(`trigger-engine ${id} is stopping`, STOPPING_MS);
      stopping.abort(reason);
      await served.stop();
      // Out of the roster first, so that the others want the shards when their leases become free.
      await announcement.stop();
      await held.stop();
      await owned.stop(reason);
      care.stop();
      deadLetters.stop();
      await settled.stop();
      await synced.stop();
      owners.close();
      roster.stop();
      state.stop();
    },
  };
}
