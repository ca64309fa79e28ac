import { type Incoming, monotonicNow, type Outgoing } from '@tidegate/bus';
import { formatBox, within } from '@tidegate/geometry';
import {
  BadRequestError,
  ConflictError,
  type CoveredReply,
  decodeBody,
  type Epoch,
  encodeBody,
  type IndexReply,
  isSuperseded,
  type ListReply,
  OutOfDomainError,
  type RunsReply,
  type ShardReply,
  STEPS_LIMIT,
} from '@tidegate/protocol';
import { coveredSteps } from './covered-steps.js';
import { IndexTickets } from './index-tickets.js';
import { answerPlan } from './plan-endpoint.js';
import { readThrough } from './read-through.js';
import {
  checkBox,
  declaredVariable,
  lookUpVariable,
  type ShardContext,
  settledStanding,
  WAIT_LIMIT_MS,
} from './shard-context.js';
import type { Standing } from './shard-owner.js';
import {
  readCovered,
  readIndex,
  readList,
  readMaxBytes,
  readPlan,
  readRuns,
  readShards,
  readTier,
  readUnindex,
} from './shard-request.js';
import { listPartitions, summarizeSteps } from './staged-list.js';
import { stagedRuns } from './staged-runs.js';
import { heldEntry } from './step-index.js';
import type { VariableIndex } from './variable-index.js';

type Fields = Readonly<Record<string, unknown>>;
type Reply<R extends ShardReply> = R | ShardReply;

/** Answers `tide.v1.shard.<s>.<operation>` for the shards that this process owns. */
export class ShardEndpoints {
  readonly #context: ShardContext;
  readonly #tickets = new IndexTickets();

  constructor(context: ShardContext) {
    this.#context = context;
  }

  /** Answers one request. A put's index request is answered without a pause where that is possible. */
  handle(incoming: Incoming): Outgoing | undefined | Promise<Outgoing> {
    const operation = incoming.subject.slice(incoming.subject.lastIndexOf('.') + 1);
    const { map } = decodeBody(incoming.data);
    const shards = readShards(map);
    switch (operation) {
      case 'index':
        return json(this.index(shards, map));
      case 'unindex':
        return json(this.unindex(shards, map));
      case 'tier':
        return json(this.tier(shards, map));
      case 'plan':
        return answerPlan(this.#context, shards, readPlan(map)).then((data) => ({ data }));
      case 'read': {
        const asked = { ...readPlan(map), waitMs: 0, maxBytes: readMaxBytes(map) };
        if (readThrough(this.#context, shards, asked, incoming.reply)) return undefined;
        return answerPlan(this.#context, shards, asked).then((data) => ({ data }));
      }
      case 'covered':
        return json(this.covered(shards, map));
      case 'list':
        return json(this.list(shards, map));
      case 'runs':
        return json(this.runs(shards, map));
      default:
        throw new BadRequestError(
          'subject',
          `expected index, unindex, tier, plan, read, covered, list or runs, got ${operation}`,
        );
    }
  }

  /** `index` */
  index(shards: readonly number[], fields: Fields): Reply<IndexReply> | Promise<Reply<IndexReply>> {
    const request = readIndex(fields);
    const { owner, index } = this.#context;
    const standing = owner.standing(shards);
    const variable = index.get(request.entry.variable);
    if (standing.acquiring.length === 0 && variable !== undefined && !variable.deleted) {
      return this.#indexNow(standing, variable, request);
    }
    return this.#tickets.hold(request.entry.raw, request.entry.id, async (ticket) => {
      const declared = await lookUpVariable(this.#context, request.entry.variable);
      const settled = await settledStanding(owner, shards);
      if (ticket.withdrawn) throw new ConflictError('the partition was removed before it was indexed');
      return this.#indexNow(settled, declared?.deleted ? undefined : declared, request);
    });
  }

  #indexNow(
    standing: Standing,
    variable: VariableIndex | undefined,
    request: ReturnType<typeof readIndex>,
  ): Reply<IndexReply> | Promise<Reply<IndexReply>> {
    const { entry, incarnation, replace = false } = request;
    const { starts, rollback, isLive, rawStarted, pointers, publisher } = this.#context;
    const { ready, notOwned } = standing;
    const rest = notOwned.length > 0 ? { notOwned } : {};
    if (ready.length === 0) return rest;
    const judged = starts.judge(entry.raw, incarnation);
    if (judged === 'stale') return { outcome: { kind: 'stale' }, ...rest };
    if (judged === 'later') rawStarted(entry.raw);
    const rolledBack = rollback(entry.run);
    if (variable === undefined || isSuperseded(rolledBack, entry)) {
      return { outcome: { kind: 'superseded', epoch: (rolledBack?.epoch ?? entry.epoch) as Epoch }, ...rest };
    }
    if (!within(entry.box, variable.record.shape)) {
      const { name, shape } = variable.record;
      throw new OutOfDomainError(
        `expected a box inside 0:${shape.join(',0:')} of variable "${name}", got ${formatBox(entry.box)}`,
        shape,
      );
    }
    const held = heldEntry(entry, variable.map.shardsOf(entry.box)[0] ?? 0, ready, incarnation);
    const run = variable.openRun(entry.run);
    const outcome = run.change(entry.step, (step) => step.index(held, { replace, isLive }));
    const reply = { outcome, ...rest };
    // Also where it was indexed before: its sender repeats what was not answered.
    if (outcome.kind !== 'indexed') return reply;
    const triggers = pointers.matching(variable, entry, ready);
    return triggers.length === 0 ? reply : publisher.publish(entry, triggers).then(() => reply);
  }

  /** `unindex` */
  unindex(shards: readonly number[], fields: Fields): ShardReply | Promise<ShardReply> {
    const { raw, variable: name, run: runName, step, ids, floor } = readUnindex(fields);
    const { owner, index } = this.#context;
    owner.removed(raw, ids);
    this.#tickets.withdraw(raw, ids);
    const variable = index.get(name);
    const run = variable?.run(runName);
    if (variable !== undefined && run?.step(step) !== undefined) {
      run.change(step, (held) => {
        for (const id of ids) if (held.get(id)?.raw === raw) held.remove(id);
      });
    }
    const { notOwned } = owner.standing(shards);
    const reply = notOwned.length > 0 ? { notOwned } : {};
    if (floor !== undefined) return this.#raiseFloor(name, runName, floor).then(() => reply);
    if (variable !== undefined) {
      if (run !== undefined) variable.closeRun(run);
      index.closeDeleted(variable);
    }
    return reply;
  }

  async #raiseFloor(variable: string, run: string, floor: number): Promise<void> {
    (await lookUpVariable(this.#context, variable))?.openRun(run).raiseFloor(floor);
  }

  /** `tier` */
  tier(shards: readonly number[], fields: Fields): ShardReply {
    const { raw, variable, run, step, ids, tier } = readTier(fields);
    const index = this.#context.index.get(variable)?.run(run)?.step(step);
    if (index !== undefined) for (const id of ids) index.setTier(id, raw, tier);
    const { notOwned } = this.#context.owner.standing(shards);
    return notOwned.length > 0 ? { notOwned } : {};
  }

  /** `covered` */
  async covered(shards: readonly number[], fields: Fields): Promise<Reply<CoveredReply>> {
    const { owner, room } = this.#context;
    const asked = readCovered(fields);
    const limited = { after: asked.after, order: asked.order, limit: Math.min(asked.limit, STEPS_LIMIT) };
    const until = monotonicNow() + Math.min(asked.waitMs, WAIT_LIMIT_MS);
    for (;;) {
      const { ready, notOwned } = await settledStanding(owner, shards);
      if (ready.length === 0) return { notOwned: shards };
      const variable = await declaredVariable(this.#context, asked.variable);
      checkBox(variable.record, asked.box);
      const absent = owner.absent(ready);
      const run = variable.openRun(asked.run);
      const coverage = run.coverage(variable.region(asked.box, ready), true);
      try {
        const list = coveredSteps(run, coverage, limited);
        const remaining = until - monotonicNow();
        const waits = list.version === asked.version && absent.length === 0 && remaining > 0;
        if (!waits) return { ...list, ...(notOwned.length > 0 && { notOwned }), ...(absent.length > 0 && { absent }) };
        if (notOwned.length > 0) return { notOwned: shards };
        const cause = await coverage.waitForList(asked.after, room.enter(shards, remaining));
        if (cause === 'lost') return { notOwned: shards };
      } finally {
        run.closeCoverage(coverage);
        variable.closeRun(run);
      }
    }
  }

  /** `list` */
  async list(shards: readonly number[], fields: Fields): Promise<Reply<ListReply>> {
    const { owner, index, maxPayload } = this.#context;
    const asked = readList(fields);
    const { ready, notOwned } = await settledStanding(owner, shards);
    if (ready.length === 0) return { notOwned: shards };
    const filter = {
      run: asked.run,
      steps: asked.steps,
      box: asked.box,
      belowEpoch: asked.belowEpoch,
      shards: new Set(ready),
    };
    const absent = owner.absent(ready);
    const rest = { ...(notOwned.length > 0 && { notOwned }), ...(absent.length > 0 && { absent }) };
    const named = asked.variable === undefined ? undefined : index.get(asked.variable);
    if (asked.summary === true) {
      return { ...(named === undefined || named.deleted ? { summaries: [] } : summarizeSteps(named, filter)), ...rest };
    }
    const variables = asked.variable === undefined ? index.all() : named === undefined ? [] : [named];
    return { ...listPartitions(variables, filter, { cursor: asked.cursor, maxBytes: maxPayload / 2 }), ...rest };
  }

  /** `runs` */
  async runs(shards: readonly number[], fields: Fields): Promise<Reply<RunsReply>> {
    const { owner, index } = this.#context;
    const asked = readRuns(fields);
    const { ready, notOwned } = await settledStanding(owner, shards);
    if (ready.length === 0) return { notOwned: shards };
    const absent = owner.absent(ready);
    const variable = index.get(asked.variable);
    const runs = variable === undefined || variable.deleted ? [] : stagedRuns(variable, ready);
    return { runs, ...(notOwned.length > 0 && { notOwned }), ...(absent.length > 0 && { absent }) };
  }
}

function json(reply: object | Promise<object>): Outgoing | Promise<Outgoing> {
  if (reply instanceof Promise) return reply.then((value) => ({ data: encodeBody(value, 'json') }));
  return { data: encodeBody(reply, 'json') };
}
