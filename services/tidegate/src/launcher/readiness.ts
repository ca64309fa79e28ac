import { type Bus, monotonicNow, OwnerTable, openBucket, sleep } from '@tidegate/bus';
import { type ClusterConfig, OWNERS_ASK, PUBLIC, type StorageReply, UnavailableError } from '@tidegate/protocol';

/** Leases of services that were killed keep their shards from the new ones for seconds. */
const READY_MS = 45_000;
const PAUSE_MS = 50;
const ASK_MS = 2000;
const NOTHING = new Uint8Array();

/** What a cluster looks like once it answers. */
export interface ReadyCluster {
  readonly shards: number;
}

/**
 * Returns once everything answers: every shard has an owner, the raw-services `rawIds` tell their room, and the public
 * requests of both kinds of services are answered.
 *
 * @throws UnavailableError that says what does not answer; the signal's reason
 */
export async function clusterReady(bus: Bus, rawIds: readonly string[], signal?: AbortSignal): Promise<ReadyCluster> {
  const owners = OwnerTable.open(bus);
  const cluster = await openBucket<ClusterConfig>(bus, 'cluster');
  const deadline = monotonicNow() + READY_MS;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const missing = await whatIsMissing(bus, owners, rawIds, (await cluster.get('config'))?.value.shards);
      if (typeof missing === 'number') return { shards: missing };
      if (monotonicNow() > deadline) throw new UnavailableError(`not ready after ${READY_MS / 1000} s: ${missing}`, 0);
      bus.publish(OWNERS_ASK, NOTHING);
      await sleep(PAUSE_MS, signal);
    }
  } finally {
    owners.close();
  }
}

/** What does not answer yet, in words; the number of shards where all does. */
async function whatIsMissing(
  bus: Bus,
  owners: OwnerTable,
  rawIds: readonly string[],
  shards: number | undefined,
): Promise<number | string> {
  if (shards === undefined) return 'the number of shards is not settled';
  for (let shard = 0; shard < shards; shard++) {
    if (owners.owner(shard) === undefined) return `shard ${shard} of ${shards} has no owner`;
  }
  try {
    await bus.requestJson(PUBLIC.variableList, {}, { timeoutMs: ASK_MS });
    const { services } = await bus.requestJson<StorageReply>(PUBLIC.storage, {}, { timeoutMs: ASK_MS });
    const absent = rawIds.filter((id) => !services.some((service) => service.id === id));
    return absent.length === 0 ? shards : `raw-service ${absent.join(', ')} does not tell its room`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
