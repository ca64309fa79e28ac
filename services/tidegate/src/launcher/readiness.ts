import { type Bus, KvCache, monotonicNow, OwnerTable, openBucket, sleep } from '@tidegate/bus';
import {
  type ClusterConfig,
  type LeaseRecord,
  OWNERS_ASK,
  PUBLIC,
  type StorageReply,
  UnavailableError,
} from '@tidegate/protocol';

/** Leases of services that were killed keep their shards from the new ones for seconds. */
const READY_MS = 45_000;
const PAUSE_MS = 50;
const ASK_MS = 2000;
const NOTHING = new Uint8Array();

/** What a cluster looks like once it answers. */
export interface ReadyCluster {
  readonly shards: number;
}

/** The services that were started, by their ids. */
export interface StartedServices {
  readonly raws: readonly string[];
  readonly engines: readonly string[];
}

/**
 * Returns once everything answers: every shard has an owner, and every trigger-engine has what it is dealt where there are
 * any, the raw-services tell their room, and the public requests of all kinds of services are answered.
 *
 * @throws UnavailableError that says what does not answer; the signal's reason
 */
export async function clusterReady(bus: Bus, services: StartedServices, signal?: AbortSignal): Promise<ReadyCluster> {
  const owners = OwnerTable.open(bus);
  const leases = await KvCache.open(await openBucket<LeaseRecord>(bus, 'leases'));
  const cluster = await openBucket<ClusterConfig>(bus, 'cluster');
  const deadline = monotonicNow() + READY_MS;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const shards = (await cluster.get('config'))?.value.shards;
      const missing =
        withoutOwner(owners, shards) ??
        withoutEngine(leases, services.engines, shards ?? 0) ??
        (await withoutAnswer(bus, services));
      if (missing === undefined && shards !== undefined) return { shards };
      if (monotonicNow() > deadline) throw new UnavailableError(`not ready after ${READY_MS / 1000} s: ${missing}`, 0);
      bus.publish(OWNERS_ASK, NOTHING);
      await sleep(PAUSE_MS, signal);
    }
  } finally {
    owners.close();
    leases.stop();
  }
}

// Each of these says in words what does not answer yet.

function withoutOwner(owners: OwnerTable, shards: number | undefined): string | undefined {
  if (shards === undefined) return 'the number of shards is not settled';
  for (let shard = 0; shard < shards; shard++) {
    if (owners.owner(shard) === undefined) return `shard ${shard} of ${shards} has no owner`;
  }
  return undefined;
}

/** Other engines of the cluster may hold leases as well. */
function withoutEngine(leases: KvCache<LeaseRecord>, engines: readonly string[], shards: number): string | undefined {
  if (engines.length === 0) return undefined;
  const idle = new Set(engines);
  for (let shard = 0; shard < shards; shard++) {
    const lease = leases.get(`engine.${shard}`);
    if (lease === undefined) return `the triggers of shard ${shard} of ${shards} have no engine`;
    idle.delete(lease.owner);
  }
  // With as many engines as shards some may be dealt none.
  return idle.size === engines.length ? `no shard belongs to trigger-engine ${engines.join(', ')}` : undefined;
}

async function withoutAnswer(bus: Bus, { raws, engines }: StartedServices): Promise<string | undefined> {
  try {
    await bus.requestJson(PUBLIC.variableList, {}, { timeoutMs: ASK_MS });
    if (engines.length > 0) await bus.requestJson(PUBLIC.triggerList, {}, { timeoutMs: ASK_MS });
    const { services } = await bus.requestJson<StorageReply>(PUBLIC.storage, {}, { timeoutMs: ASK_MS });
    const absent = raws.filter((id) => !services.some((service) => service.id === id));
    return absent.length === 0 ? undefined : `raw-service ${absent.join(', ')} does not tell its room`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
