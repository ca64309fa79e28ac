import { type Bus, clusterConfig, type KvChange, type Watched, watchBucket } from '@tidegate/bus';
import type { ClusterConfig, RunRecord, TriggerRecord, VariableRecord } from '@tidegate/protocol';

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

/**
 * Opens the buckets and returns once their content is here.
 *
 * @param shards of a cluster that is made now
 * @throws UnavailableError
 */
export async function openEngineState(bus: Bus, changes: StateChanges, shards?: number): Promise<EngineState> {
  const config = await clusterConfig(bus, shards);
  const [variables, runs, triggers] = await Promise.all([
    watchBucket<VariableRecord>(bus, 'variables', changes.variable),
    watchBucket<RunRecord>(bus, 'runs', changes.run),
    watchBucket<TriggerRecord>(bus, 'triggers', changes.trigger),
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
