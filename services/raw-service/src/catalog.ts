import { type Bus, KvCache, openBucket } from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import {
  type Epoch,
  type PinRecord,
  pinKey,
  type RunRecord,
  UnknownVariableError,
  type VariableRecord,
} from '@tidegate/protocol';

/** What the cluster has decided about variables, runs and pins: local copies that follow their buckets. */
export class Catalog {
  readonly #variables: KvCache<VariableRecord>;
  readonly #runs: KvCache<RunRecord>;
  readonly #pins: KvCache<PinRecord>;

  private constructor(variables: KvCache<VariableRecord>, runs: KvCache<RunRecord>, pins: KvCache<PinRecord>) {
    this.#variables = variables;
    this.#runs = runs;
    this.#pins = pins;
  }

  /** @param onChange called when a policy or a pin changed */
  static async open(bus: Bus, onChange: () => void): Promise<Catalog> {
    const [variables, runs, pins] = await Promise.all([
      openBucket<VariableRecord>(bus, 'variables').then((bucket) => KvCache.open(bucket, { onChange })),
      openBucket<RunRecord>(bus, 'runs').then((bucket) => KvCache.open(bucket)),
      openBucket<PinRecord>(bus, 'pins').then((bucket) => KvCache.open(bucket, { onChange })),
    ]);
    return new Catalog(variables, runs, pins);
  }

  /** A variable as far as it is known here now. */
  known(name: string): VariableHandle | undefined {
    const record = this.#variables.get(name);
    return record && variableHandle(record);
  }

  /** A variable, looked up in the bucket where it is not known here yet. @throws UnknownVariableError */
  async variable(name: string): Promise<VariableHandle> {
    const record = this.#variables.get(name) ?? (await this.#variables.getThrough(name));
    if (!record) throw new UnknownVariableError(name);
    return variableHandle(record);
  }

  epoch(run: string): Epoch {
    return (this.#runs.get(run)?.epoch ?? 0) as Epoch;
  }

  /** True where a rollback superseded what was begun in `epoch`. */
  isSuperseded({
    run,
    variable,
    step,
    epoch,
  }: {
    readonly run: string;
    readonly variable: string;
    readonly step: number;
    readonly epoch: Epoch;
  }): boolean {
    const record = this.#runs.get(run);
    if (!record || epoch >= record.epoch || step <= record.toStep) return false;
    return record.variables === undefined || record.variables.includes(variable);
  }

  isPinned(variable: string, run: string, step: number): boolean {
    return this.#pins.get(pinKey(variable, run, step)) !== undefined;
  }

  /** Waits until a revision of a bucket has been seen here. @throws TimeoutError */
  async waitFor(bucket: string, revision: number, timeoutMs: number): Promise<void> {
    const cache = { variables: this.#variables, runs: this.#runs, pins: this.#pins }[bucket];
    await cache?.waitFor(revision, timeoutMs);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#variables.stop(), this.#runs.stop(), this.#pins.stop()]);
  }
}
