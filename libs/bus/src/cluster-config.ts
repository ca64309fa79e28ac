import { type ClusterConfig, UnavailableError } from '@tidegate/protocol';
import type { Bus } from './bus.js';
import { monotonicNow } from './clock.js';
import { openBucket } from './kv.js';
import { retrying } from './retry.js';

const CONFIG = 'config';
const DEFAULT_SHARDS = 16;
const CONFIG_MS = 3000;

/**
 * The cluster's configuration; the first service to ask writes it.
 *
 * @param shards of a cluster that is made now
 * @throws UnavailableError
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
    { deadline: monotonicNow() + CONFIG_MS },
  );
}
