import { type Bus, type KvBucket, KvCache, type KvChange, monotonicNow, openBucket, retrying } from '@tidegate/bus';
import {
  type ClusterConfig,
  type RunRecord,
  type TriggerRecord,
  UnavailableError,
  type VariableRecord,
} from '@tidegate/protocol';

/** A bucket with a local copy that follows it. */
export interface Watched<T> {
  readonly bucket: KvBucket<T>;
  readonly cache: KvCache<T>;
}

/** What the cluster has decided, as far as engines care. */
export interface EngineState {
  readonly config: ClusterConfig;
  readonly variables: Watched<VariableRecord>;
  readonly runs: Watched<RunRecord>;
  readonly triggers: Watched<TriggerRecord>;
  stop(): void;
}

/** Called when a record changed; without one it is gone. */
export interface StateChanges {
  readonly variable: (name: string, record: VariableRecord | undefined, change: KvChange) => void;
  readonly run: (name: string, record: RunRecord | undefined) => void;
  readonly trigger: (name: string, record: TriggerRecord | undefined) => void;
}

const CONFIG = 'config';
const DEFAULT_SHARDS = 16;
const CONFIG_MS = 3000;

async function watch<T>(
  bus: Bus,
  name: 'variables' | 'runs' | 'triggers',
  onChange: (key: string, value: T | undefined, change: KvChange) => void,
): Promise<Watched<T>> {
  const bucket = await openBucket<T>(bus, name);
  const cache = await KvCache.open(bucket, { onChange: (key, entry, change) => onChange(key, entry?.value, change) });
  return { bucket, cache };
}

/** The cluster's configuration; the first service to ask writes it. */
async function clusterConfig(bus: Bus, shards: number): Promise<ClusterConfig> {
  const bucket = await openBucket<ClusterConfig>(bus, 'cluster');
  return retrying(
    async () => {
      const standing = await bucket.get(CONFIG);
      if (standing) return standing.value;
      const config: ClusterConfig = { shards, protocol: 1, createdAt: new Date().toISOString() };
      if ((await bucket.create(CONFIG, config)) !== undefined) return config;
      throw new UnavailableError('the configuration of the cluster is being written', 0);
    },
    { deadline: monotonicNow() + CONFIG_MS },
  );
}

/**
 * Opens the buckets and returns once their content is here.
 *
 * @param shards of a cluster that is made now
 * @throws UnavailableError
 */
export async function openEngineState(bus: Bus, changes: StateChanges, shards = DEFAULT_SHARDS): Promise<EngineState> {
  const config = await clusterConfig(bus, shards);
  const [variables, runs, triggers] = await Promise.all([
    watch<VariableRecord>(bus, 'variables', changes.variable),
    watch<RunRecord>(bus, 'runs', changes.run),
    watch<TriggerRecord>(bus, 'triggers', changes.trigger),
  ]);
  return {
    config,
    variables,
    runs,
    triggers,
    stop() {
      for (const { cache } of [variables, runs, triggers]) cache.stop();
    },
  };
}
