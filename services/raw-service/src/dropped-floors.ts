import type { EvictionPolicy } from './eviction.js';
import type { Journal } from './journal.js';
import { seriesKey } from './step-catalog.js';

const KEY = 'floor:';
const MAX_SERIES = 65_536;

/** Steps of a variable and run below `floor` were dropped by its window. */
export interface DroppedFloor {
  readonly variable: string;
  readonly run: string;
  readonly floor: number;
}

interface Standing extends DroppedFloor {
  readonly epoch: number;
  /** Which declaration of the variable it belongs to. */
  readonly declared: string;
}

/**
 * Up to which step each series was dropped: kept in the journal, so that after a restart a dropped step is still told
 * from one that has not come yet. A rollback lets dropped numbers come again and so ends a floor; so does another
 * declaration of the variable.
 */
export class DroppedFloors {
  readonly #journal: Journal;
  readonly #policy: (variable: string) => EvictionPolicy | undefined;
  readonly #floors = new Map<string, Standing>();

  /** @param entries what the journal held when it was opened */
  constructor(
    journal: Journal,
    entries: ReadonlyMap<string, unknown>,
    policy: (variable: string) => EvictionPolicy | undefined,
  ) {
    this.#journal = journal;
    this.#policy = policy;
    for (const [key, value] of entries) {
      if (key.startsWith(KEY)) this.#floors.set(key.slice(KEY.length), value as Standing);
    }
  }

  /** Notes, before anything is dropped, that steps below `floor` are. */
  raise(variable: string, run: string, floor: number, epoch: number): void {
    const key = seriesKey(variable, run);
    const declared = this.#policy(variable)?.createdAt ?? '';
    const standing = this.#floors.get(key);
    const same = standing?.declared === declared && standing.epoch >= epoch;
    if (same && standing.floor >= floor) return;
    const next: Standing = { variable, run, floor, epoch, declared };
    this.#journal.set(KEY + key, next);
    this.#floors.delete(key);
    this.#floors.set(key, next);
    const [oldest] = this.#floors.keys();
    if (this.#floors.size > MAX_SERIES && oldest !== undefined) this.#forget(oldest);
  }

  /** A partition of this epoch came: floors of earlier ones are void. */
  entered(variable: string, run: string, epoch: number): void {
    const key = seriesKey(variable, run);
    const standing = this.#floors.get(key);
    if (standing !== undefined && standing.epoch < epoch) this.#forget(key);
  }

  /** The floors of the variables as they are declared now. */
  list(): DroppedFloor[] {
    const listed: DroppedFloor[] = [];
    for (const { variable, run, floor, declared } of this.#floors.values()) {
      const policy = this.#policy(variable);
      if (policy !== undefined && (policy.createdAt ?? '') === declared) listed.push({ variable, run, floor });
    }
    return listed;
  }

  #forget(key: string): void {
    this.#journal.delete([KEY + key]);
    this.#floors.delete(key);
  }
}
