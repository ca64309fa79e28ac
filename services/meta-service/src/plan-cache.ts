import type { Region } from './region.js';
import type { StepIndex } from './step-index.js';

/** A plan as it goes out. */
export interface EncodedPlan {
  /** Waiting would not change it: covered, or dropped. */
  readonly final: boolean;
  readonly reply: Uint8Array;
}

interface Kept {
  readonly version: number;
  readonly epoch: number;
  readonly plan: EncodedPlan;
}

/**
 * Encoded plans that stay right until their step changes: a thousand readers that wait for one region share one. Holds
 * a bounded number, the last ones used.
 */
export class PlanCache {
  readonly #limit: number;
  readonly #plans = new Map<string, Kept>();
  readonly #names = new WeakMap<StepIndex, number>();
  #named = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The kept plan, or the one that `make` gives. */
  get(step: StepIndex, region: Region, epoch: number, make: () => EncodedPlan): EncodedPlan {
    const key = `${this.#name(step)} ${region.key}`;
    const kept = this.#plans.get(key);
    this.#plans.delete(key);
    const fresh = kept?.version === step.version && kept.epoch === epoch;
    const entry = fresh ? kept : { version: step.version, epoch, plan: make() };
    // Recently used last.
    this.#plans.set(key, entry);
    if (this.#plans.size > this.#limit) {
      const [oldest] = this.#plans.keys();
      if (oldest !== undefined) this.#plans.delete(oldest);
    }
    return entry.plan;
  }

  /** The kept plan, if it is right still. */
  peek(step: StepIndex, region: Region, epoch: number): EncodedPlan | undefined {
    const kept = this.#plans.get(`${this.#name(step)} ${region.key}`);
    return kept?.version === step.version && kept.epoch === epoch ? kept.plan : undefined;
  }

  /** A step index is told by identity: another one of the same step number is another thing. */
  #name(step: StepIndex): number {
    let name = this.#names.get(step);
    if (name === undefined) {
      name = ++this.#named;
      this.#names.set(step, name);
    }
    return name;
  }
}
