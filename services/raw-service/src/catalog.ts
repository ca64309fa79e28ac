import { type Bus, KvCache, openBucket, type SyncedCaches } from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import {
  type Epoch,
  isSuperseded,
  type PartitionRecord,
  type PinRecord,
  pinKey,
  type RunRecord,
  type TriggerRecord,
  UnknownVariableError,
  type VariableRecord,
} from '@tidegate/protocol';
import { TriggerTable } from './trigger-table.js';

/** Who follows changes of the catalog. */
export interface CatalogFollower {
  /** A declaration or a pin changed, or triggers and rollbacks are known again. */
  changed(): void;
  /** The triggers on a variable changed. */
  triggers(variable: string): void;
  /** A run was rolled back. */
  run(run: string): void;
}

interface Caches {
  readonly variables: KvCache<VariableRecord>;
  readonly runs: KvCache<RunRecord>;
  readonly pins: KvCache<PinRecord>;
  readonly triggers: KvCache<TriggerRecord>;
}

/** What the cluster has decided about variables, runs, pins and triggers: local copies that follow their buckets. */
export class Catalog {
  readonly #caches: Caches;
  readonly #triggers: TriggerTable;
  readonly #told: { follower?: CatalogFollower };

  private constructor(caches: Caches, triggers: TriggerTable, told: { follower?: CatalogFollower }) {
    this.#caches = caches;
    this.#triggers = triggers;
    this.#told = told;
  }

  static async open(bus: Bus): Promise<Catalog> {
    const table = new TriggerTable();
    // What the buckets hold at first is news to nobody.
    const told: { follower?: CatalogFollower } = {};
    const changed = () => told.follower?.changed();
    const rolledBack = (run: string) => told.follower?.run(run);
    const triggerChanged = (name: string, record: TriggerRecord | undefined) => {
      for (const variable of table.set(name, record)) told.follower?.triggers(variable);
    };
    const [variables, runs, pins, triggers] = await Promise.all([
      openBucket<VariableRecord>(bus, 'variables').then((bucket) => KvCache.open(bucket, { onChange: changed })),
      openBucket<RunRecord>(bus, 'runs').then((bucket) =>
        KvCache.open(bucket, { onChange: rolledBack, onSync: changed }),
      ),
      openBucket<PinRecord>(bus, 'pins').then((bucket) => KvCache.open(bucket, { onChange: changed })),
      openBucket<TriggerRecord>(bus, 'triggers').then((bucket) =>
        KvCache.open(bucket, { onChange: (name, entry) => triggerChanged(name, entry?.value), onSync: changed }),
      ),
    ]);
    return new Catalog({ variables, runs, pins, triggers }, table, told);
  }

  /** Tells one follower of every change from now on. */
  follow(follower: CatalogFollower): void {
    this.#told.follower = follower;
  }

  /** The copies, for whoever waits until this service has seen a change. */
  get caches(): SyncedCaches {
    return this.#caches;
  }

  /** A variable as far as it is known here now. */
  known(name: string): VariableHandle | undefined {
    const record = this.#caches.variables.get(name);
    return record && variableHandle(record);
  }

  /** A variable, looked up in the bucket where it is not known here yet. @throws UnknownVariableError */
  async variable(name: string): Promise<VariableHandle> {
    const { variables } = this.#caches;
    const record = variables.get(name) ?? (await variables.getThrough(name));
    if (!record) throw new UnknownVariableError(name);
    return variableHandle(record);
  }

  epoch(run: string): Epoch {
    return (this.#caches.runs.get(run)?.epoch ?? 0) as Epoch;
  }

  /** True where a rollback superseded what was begun in its epoch. */
  isSuperseded(put: Pick<PartitionRecord, 'run' | 'variable' | 'step' | 'epoch'>): boolean {
    return isSuperseded(this.#caches.runs.get(put.run), put);
  }

  isPinned(variable: string, run: string, step: number): boolean {
    return this.#caches.pins.get(pinKey(variable, run, step)) !== undefined;
  }

  /** The triggers that decide steps of a variable as it is declared now. */
  triggersOn(variable: string): readonly TriggerRecord[] {
    const named = this.#triggers.of(variable);
    if (named.length === 0) return named;
    const declared = this.#caches.variables.get(variable)?.createdAt;
    const standing = named.filter(({ variableCreatedAt }) => variableCreatedAt === declared);
    return standing.length === named.length ? named : standing;
  }

  /** False while a trigger or a rollback may be unknown here. */
  get isCurrent(): boolean {
    return this.#caches.triggers.inSync && this.#caches.runs.inSync;
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.#caches).map((cache) => cache.stop()));
  }
}
