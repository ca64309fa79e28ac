import { type Bus, catchUp, type KvBucket, KvCache, monotonicNow, openBucket, retrying, sleep } from '@tidegate/bus';
import {
  type ClusterConfig,
  type PinRecord,
  type RunRecord,
  TimeoutError,
  type TriggerRecord,
  UnavailableError,
  type VariableRecord,
} from '@tidegate/protocol';

/** A bucket with a local copy that follows it. */
export interface Watched<T> {
  readonly bucket: KvBucket<T>;
  readonly cache: KvCache<T>;
}

/** What the cluster has decided, as far as meta-services care. */
export interface ClusterState {
  readonly config: ClusterConfig;
  readonly variables: Watched<VariableRecord>;
  readonly runs: Watched<RunRecord>;
  readonly pins: Watched<PinRecord>;
  readonly triggers: Watched<TriggerRecord>;
  stop(): void;
}

/** Called when a record changed; without one it is gone. */
export interface StateChanges {
  readonly variable: (name: string, record: VariableRecord | undefined) => void;
  readonly run: (record: RunRecord) => void;
  readonly trigger: (name: string, record: TriggerRecord | undefined) => void;
}

const CONFIG = 'config';
const DEFAULT_SHARDS = 16;
/** How long the local copy may take to show a change that the bucket has taken. */
const SEEN_MS = 3000;
const LOOK_MS = 2;

async function watch<T>(
  bus: Bus,
  name: 'variables' | 'runs' | 'pins' | 'triggers',
  onChange: (key: string, value: T | undefined) => void,
): Promise<Watched<T>> {
  const bucket = await openBucket<T>(bus, name);
  return { bucket, cache: await KvCache.open(bucket, { onChange: (key, entry) => onChange(key, entry?.value) }) };
}

/**
 * The cluster's configuration; the first service to ask writes it.
 *
 * @param shards of a cluster that is made now
 */
export async function clusterConfig(bus: Bus, shards = DEFAULT_SHARDS): Promise<ClusterConfig> {
  const bucket = await openBucket<ClusterConfig>(bus, 'cluster');
  return retrying(
    async () => {
      const standing = await bucket.get(CONFIG);
      if (standing) return standing.value;
      const config: ClusterConfig = { shards, protocol: 1, createdAt: new Date().toISOString() };
      if ((await bucket.create(CONFIG, config)) !== undefined) return config;
      throw new UnavailableError('the configuration of the cluster is being written', 0);
    },
    { deadline: monotonicNow() + SEEN_MS },
  );
}

/** Opens the buckets and returns once their content is here. @throws UnavailableError */
export async function openClusterState(bus: Bus, changes: StateChanges, shards?: number): Promise<ClusterState> {
  const config = await clusterConfig(bus, shards);
  const [variables, runs, pins, triggers] = await Promise.all([
    watch<VariableRecord>(bus, 'variables', changes.variable),
    watch<RunRecord>(bus, 'runs', (_, record) => record && changes.run(record)),
    watch<PinRecord>(bus, 'pins', () => {}),
    watch<TriggerRecord>(bus, 'triggers', changes.trigger),
  ]);
  return {
    config,
    variables,
    runs,
    pins,
    triggers,
    stop() {
      for (const { cache } of [variables, runs, pins, triggers]) cache.stop();
    },
  };
}

/**
 * Returns once this process has seen what is declared, rolled back and watched now: nobody waited for one without a
 * lease to see that, so it has to before it answers for a shard.
 *
 * @throws TimeoutError, UnavailableError
 */
export async function upToDate({ variables, runs, triggers }: ClusterState): Promise<void> {
  await Promise.all([variables, runs, triggers].map(({ bucket, cache }) => catchUp(bucket, cache, SEEN_MS)));
}

/**
 * A revision at which the deletion of these keys has happened, once the local copy shows it.
 *
 * @param deleted keys with the revisions that were deleted
 * @throws TimeoutError
 */
export async function revisionWithout<T>(
  { cache, bucket }: Watched<T>,
  deleted: ReadonlyMap<string, number>,
): Promise<number> {
  const deadline = monotonicNow() + SEEN_MS;
  const stands = ([key, revision]: readonly [string, number]) => (cache.entry(key)?.revision ?? Infinity) <= revision;
  while ([...deleted].some(stands) || !cache.inSync) {
    if (monotonicNow() > deadline)
      throw new TimeoutError(`${bucket.name} does not show a deletion here after ${SEEN_MS} ms`);
    await sleep(LOOK_MS);
  }
  return cache.revision;
}
