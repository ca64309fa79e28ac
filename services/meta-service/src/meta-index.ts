import { type RawId, type RunRecord, standingRollbacks, type VariableRecord } from '@tidegate/protocol';
import { VariableIndex } from './variable-index.js';

/** How long what was staged of a deleted variable stays listed, for whoever releases it at the raw-services. */
const DELETED_MS = 600_000;

/** Everything that this process has indexed, for all shards that it owns. Soft state: an inventory rebuilds it. */
export class MetaIndex {
  readonly #variables = new Map<string, VariableIndex>();

  /** The index of a variable by its standing record; that of another declaration of the name is dropped. */
  open(record: VariableRecord): VariableIndex {
    const standing = this.#variables.get(record.name);
    if (standing !== undefined && !standing.deleted && sameDeclaration(standing.record, record)) return standing;
    this.#drop(record.name);
    const index = new VariableIndex(record);
    this.#variables.set(record.name, index);
    return index;
  }

  get(name: string): VariableIndex | undefined {
    return this.#variables.get(name);
  }

  /** All variables by name. */
  all(): VariableIndex[] {
    return [...this.#variables.values()].sort((a, b) => (a.record.name < b.record.name ? -1 : 1));
  }

  /** The variable's record is gone. What is staged stays listed until it is released. */
  markDeleted(name: string): void {
    const index = this.#variables.get(name);
    if (index === undefined) return;
    index.deleted = true;
    index.wakeAll();
    this.closeDeleted(index);
    setTimeout(() => this.#forget(index), DELETED_MS).unref();
  }

  #forget(index: VariableIndex): void {
    if (this.#variables.get(index.record.name) === index) this.#drop(index.record.name);
  }

  /** Lets a deleted variable go once nothing of it is staged. */
  closeDeleted(index: VariableIndex): void {
    if (index.deleted && index.partitions === 0) this.#drop(index.record.name);
  }

  #drop(name: string): void {
    const index = this.#variables.get(name);
    if (index === undefined) return;
    this.#variables.delete(name);
    index.deleted = true;
    index.wakeAll();
  }

  /** A run was rolled back. */
  rollBack(record: RunRecord): void {
    for (const variable of this.#variables.values()) {
      const run = variable.run(record.run);
      if (run === undefined) continue;
      // Of rollbacks that follow each other closely only the last may be heard of.
      for (const rollback of standingRollbacks(record)) {
        if (rollback.variables?.includes(variable.record.name) !== false) run.rollBack(rollback);
      }
    }
  }

  /** Forgets what only this shard made known. */
  loseShard(shard: number): void {
    this.#sweep((held) => {
      if (!held.shards.includes(shard)) return false;
      held.shards = held.shards.filter((other) => other !== shard);
      return held.shards.length === 0;
    });
  }

  /** Forgets what a raw-service held at the shards and has not confirmed since its start `incarnation`. */
  keepConfirmed(raw: RawId, shards: ReadonlySet<number>, incarnation: string): void {
    this.#sweep(
      (held) => held.raw === raw && held.incarnation !== incarnation && held.shards.some((shard) => shards.has(shard)),
    );
  }

  /** Forgets a raw-service that will not come back. */
  forgetRaw(raw: string): void {
    this.#sweep((held) => held.raw === raw);
  }

  #sweep(doomed: Parameters<VariableIndex['sweep']>[0]): void {
    for (const variable of [...this.#variables.values()]) {
      variable.sweep(doomed);
      this.closeDeleted(variable);
    }
  }
}

function sameDeclaration(a: VariableRecord, b: VariableRecord): boolean {
  return a.createdAt === b.createdAt && a.dtype === b.dtype && a.shape.join() === b.shape.join();
}
