import { type Bus, catchUp, clusterConfig, monotonicNow, sleep, type Watched, watchBucket } from '@tidegate/bus';
import {
  type ClusterConfig,
  type PinRecord,
  type RunRecord,
  TimeoutError,
  type TriggerRecord,
  type VariableRecord,
} from '@tidegate/protocol';

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

/** How long the local copy may take to show a change that the bucket has taken. */
const SEEN_MS = 3000;
const LOOK_MS = 2;

/** Opens the buckets and returns once their content is here. @throws UnavailableError */
export async function openClusterState(bus: Bus, changes: StateChanges, shards?: number): Promise<ClusterState> {
  const config = await clusterConfig(bus, shards);
  const [variables, runs, pins, triggers] = await Promise.all([
    watchBucket<VariableRecord>(bus, 'variables', changes.variable),
    watchBucket<RunRecord>(bus, 'runs', (_, record) => record && changes.run(record)),
    watchBucket<PinRecord>(bus, 'pins'),
    watchBucket<TriggerRecord>(bus, 'triggers', changes.trigger),
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
