import { monotonicNow } from '@tidegate/bus';
import type { TriggerRecord } from '@tidegate/protocol';
import type { EngineContext } from '../engine-context.js';
import { finish } from './registration.js';

const LOOK_MS = 500;
/** A registration that is not finished after this long was left by whoever began it. */
const LEFT_MS = 2000;

/**
 * Looks after the records of triggers whose primary this engine owns: finishes registrations that were left half way, and
 * deletes triggers whose variable is gone.
 */
export class Caretaker {
  readonly #context: EngineContext;
  readonly #holds: (shard: number) => boolean;
  readonly #timer: NodeJS.Timeout;
  readonly #begun = new Map<string, { readonly updatedAt: string; readonly since: number }>();
  readonly #orphans = new Set<string>();
  #working = false;

  constructor(context: EngineContext, holds: (shard: number) => boolean) {
    this.#context = context;
    this.#holds = holds;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** A record changed. */
  changed({ name, state, updatedAt }: TriggerRecord): void {
    if (state === 'registering') this.#begun.set(name, { updatedAt, since: monotonicNow() });
    else this.#begun.delete(name);
  }

  /** The variable of a trigger may be gone. */
  orphan(name: string): void {
    this.#orphans.add(name);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#working || (this.#begun.size === 0 && this.#orphans.size === 0)) return;
    this.#working = true;
    this.#work()
      .catch((error: unknown) => {
        this.#context.logger.warn({ err: error }, 'could not look after the triggers yet');
      })
      .finally(() => {
        this.#working = false;
      });
  }

  async #work(): Promise<void> {
    const now = monotonicNow();
    for (const [name, { since }] of [...this.#begun]) if (now - since > LEFT_MS) await this.#finish(name);
    for (const name of [...this.#orphans]) {
      await this.#bury(name);
      this.#orphans.delete(name);
    }
  }

  async #finish(name: string): Promise<void> {
    const entry = this.#context.state.triggers.cache.entry(name);
    if (entry === undefined || !this.#holds(entry.value.primary)) return;
    await finish(this.#context, entry.value, entry.revision);
    this.#context.logger.info({ trigger: name }, 'finished a registration that was left half way');
  }

  async #bury(name: string): Promise<void> {
    const { state, wallClock, logger } = this.#context;
    const entry = state.triggers.cache.entry(name);
    if (entry === undefined || entry.value.state === 'deleted' || !this.#holds(entry.value.primary)) return;
    const { definition, variableCreatedAt } = entry.value;
    const variable = await state.variables.bucket.get(definition.on.variable);
    if (variable?.value.createdAt === variableCreatedAt) return;
    const updatedAt = new Date(wallClock()).toISOString();
    const deleted: TriggerRecord = { ...entry.value, state: 'deleted', enabled: false, updatedAt };
    await state.triggers.bucket.update(name, deleted, entry.revision);
    logger.info({ trigger: name, variable: definition.on.variable }, 'a trigger went with its variable');
  }
}
