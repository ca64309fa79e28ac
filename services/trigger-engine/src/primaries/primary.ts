import { type KvEntry, lastMessage, type Subscribed, subscribe } from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import {
  decodeBody,
  encodeBody,
  engineSubject,
  type PointerMessage,
  pointersOf,
  type RunRecord,
  STREAMS,
  type TriggerRecord,
  UnavailableError,
  type UndecidedRequest,
} from '@tidegate/protocol';
import { compileRecord } from '../registry/registered-trigger.js';
import { untilDone } from '../runs/until-done.js';
import { ActiveTrigger, type TriggerSurroundings } from './active-trigger.js';
import { PointerReader } from './pointer-reader.js';
import { readUndecided } from './undecided-request.js';

export interface PrimaryOptions extends TriggerSurroundings {
  readonly shard: number;
  /** The variable of a trigger is not there any more, or is another one. */
  readonly onOrphan: (record: TriggerRecord) => void;
}

interface Standing {
  readonly record: TriggerRecord;
  readonly stopped: AbortController;
  /** None while its variable is looked up and its expressions are compiled. */
  active?: ActiveTrigger;
}

/** How long an answer about undecided steps may take. */
const UNDECIDED_MS = 2000;

/**
 * One primary shard that this engine owns: reads its pointers and decides its triggers. It listens as long as there are
 * enabled triggers.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #standing = new Map<string, Standing>();
  readonly #stopped = new AbortController();
  readonly #endings = new Set<Promise<void>>();
  #reader: Promise<PointerReader> | undefined;
  #subscribed: Subscribed | undefined;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { context, shard } = options;
    this.#subscribed = subscribe(context.bus, engineSubject(shard, 'undecided'), async (request) => {
      const { map, encoding } = decodeBody(request.data);
      return { data: encodeBody({ undecided: await this.undecided(readUndecided(map)) }, encoding) };
    });
  }

  /** A trigger of this shard was registered, changed, enabled, disabled or deleted. */
  changed(record: TriggerRecord): void {
    if (this.#stopped.signal.aborted) return;
    const { name } = record;
    const standing = this.#standing.get(name);
    const decides = record.state === 'active' && record.enabled;
    if (decides && standing?.record.updatedAt === record.updatedAt && standing.record.digest === record.digest) return;
    if (standing) this.#end(name, standing);
    if (!decides) return;
    const begun: Standing = { record, stopped: new AbortController() };
    this.#standing.set(name, begun);
    this.#begin(begun).catch((error: unknown) => {
      if (begun.stopped.signal.aborted) return;
      this.#options.context.logger.error(
        { err: error, trigger: name },
        'a trigger could not begin: its steps stay undecided',
      );
    });
  }

  /** A trigger is of another shard now: its box changed with its generation. */
  moved(name: string): void {
    const standing = this.#standing.get(name);
    if (standing) this.#end(name, standing);
  }

  /** A run was rolled back. */
  rolledBack(run: string, record: RunRecord): void {
    for (const { active } of this.#standing.values()) active?.rolledBack(run, record);
  }

  /** Which of the steps a window must keep, since a trigger will still decide them. @throws UnavailableError */
  async undecided({ variable, run, steps, triggers }: UndecidedRequest): Promise<readonly number[]> {
    const { context, shard, holds } = this.#options;
    const deadline = AbortSignal.timeout(UNDECIDED_MS);
    if (!(await this.#caughtUp())) return steps;
    const kept = new Set<number>();
    for (const { name, generation } of triggers) {
      const entry = context.state.triggers.cache.entry(name);
      for (const step of await this.#undecidedOf({ variable, run, steps }, { entry, generation }, deadline))
        kept.add(step);
      if (kept.size === steps.length) break;
    }
    if (!holds(shard)) throw new UnavailableError(`shard ${shard} went to another engine`, 0);
    return steps.filter((step) => kept.has(step));
  }

  /** Stops deciding at once; returns when nothing is under way any more. */
  async stop(reason: Error): Promise<void> {
    this.#stopped.abort(reason);
    for (const [name, standing] of [...this.#standing]) this.#end(name, standing, reason);
    const subscribed = this.#subscribed;
    this.#subscribed = undefined;
    await Promise.all([...this.#endings, subscribed?.stop()]);
  }

  async #begin(standing: Standing): Promise<void> {
    const { context, onOrphan } = this.#options;
    const { record, stopped } = standing;
    const { signal } = stopped;
    const { name } = record;
    const active = await untilDone(
      async () => {
        await this.#open();
        const variable = await this.#variableOf(record);
        return variable && new ActiveTrigger(this.#options, compileRecord(record, variable));
      },
      { logger: context.logger, what: `trigger ${name}: beginning to decide`, signal },
    );
    if (active === undefined) {
      onOrphan(record);
      return;
    }
    if (signal.aborted) return;
    standing.active = active;
    await active.backfill();
  }

  /** The variable that a trigger was registered on; undefined where it is gone. */
  async #variableOf({ definition, variableCreatedAt }: TriggerRecord): Promise<VariableHandle | undefined> {
    const { context } = this.#options;
    const cached = await context.variable(definition.on.variable);
    if (cached?.record.createdAt === variableCreatedAt) return cached;
    // Declared anew a moment ago, perhaps: the leader of the bucket knows.
    const standing = await context.state.variables.bucket.get(definition.on.variable);
    return standing?.value.createdAt === variableCreatedAt ? variableHandle(standing.value) : undefined;
  }

  /** The reader of pointers, opened where it is not. */
  #open(): Promise<PointerReader> {
    const { context, shard } = this.#options;
    this.#reader ??= PointerReader.open(context.bus, {
      shard,
      onPointer: (pointer) => this.#pointed(pointer),
      onGap: () => this.#backfill(),
    }).then(
      (reader) => {
        if (this.#standing.size === 0) this.#close();
        return reader;
      },
      (error: unknown) => {
        this.#reader = undefined;
        throw error;
      },
    );
    return this.#reader;
  }

  #close(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.then((opened) => opened.stop()).catch(() => {});
  }

  #pointed(pointer: PointerMessage): void {
    this.#standing.get(pointer.trigger)?.active?.pointed(pointer);
  }

  #backfill(): void {
    for (const { active, record, stopped } of this.#standing.values()) {
      active?.backfill().catch((error: unknown) => {
        if (stopped.signal.aborted) return;
        this.#options.context.logger.error({ err: error, trigger: record.name }, 'a backfill broke off');
      });
    }
  }

  #end(name: string, standing: Standing, reason = new Error(`trigger ${name} was changed`)): void {
    this.#standing.delete(name);
    standing.stopped.abort(reason);
    const ending = (standing.active?.stop(reason) ?? Promise.resolve()).finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
    if (this.#standing.size === 0) this.#close();
  }

  /** True once every pointer that is stored now is read. */
  async #caughtUp(): Promise<boolean> {
    const { context, shard } = this.#options;
    const reader = this.#reader;
    if (reader === undefined) return true;
    const last = await lastMessage(context.bus, STREAMS.pointers.name, pointersOf(shard));
    return (await reader).reached(last?.sequence ?? 0, UNDECIDED_MS);
  }

  async #undecidedOf(
    { variable, run, steps }: Pick<UndecidedRequest, 'variable' | 'run' | 'steps'>,
    { entry, generation }: { readonly entry: KvEntry<TriggerRecord> | undefined; readonly generation: number },
    deadline: AbortSignal,
  ): Promise<readonly number[]> {
    const record = entry?.value;
    // Not known here yet.
    if (record === undefined || record.generation < generation) return steps;
    const { name, state, enabled, definition } = record;
    if (state === 'deleted' || !enabled || definition.on.variable !== variable) return [];
    const active = this.#standing.get(name)?.active;
    if (state === 'registering' || active === undefined) return steps;
    return active.undecided(run, steps, deadline);
  }
}
