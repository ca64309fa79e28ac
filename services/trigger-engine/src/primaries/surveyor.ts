import { inParallel, monotonicNow, type ShardRouter, sleep } from '@tidegate/bus';
import type { VariableHandle } from '@tidegate/client/region';
import { type Box, formatBox, intersect, parseBox } from '@tidegate/geometry';
import {
  absentError,
  type CoveredReply,
  type CoveredRequest,
  type ListReply,
  type ListRequest,
  type LookupReply,
  type PartitionId,
  type RawId,
  type RunsReply,
  type RunsRequest,
  rawSubject,
  type ShardReply,
  STEPS_LIMIT,
} from '@tidegate/protocol';
import type { MeasureContext } from '../measure/index.js';
import type { Arrival } from '../runs/arrivals.js';
import { Joined } from './joined.js';

/** How long owners of shards are looked for. */
const OWNERS_MS = 5000;
const ABSENT_MS = 50;
const LOOKUP_MS = 5000;
/** Partitions that are looked up at a time. */
const LOOKUPS = 16;
const LAST_STEP = Number.MAX_SAFE_INTEGER;

/** A trigger's box in a run. */
export interface SurveyedBox {
  readonly variable: VariableHandle;
  readonly run: string;
  readonly box: Box;
}

/** Asks the shards what is staged: the truth that pointers only hint at. */
export class Surveyor {
  readonly #context: MeasureContext;
  readonly #runs = new Joined<ReadonlySet<string>>();
  readonly #staged = new Joined<ReadonlySet<number>>();

  constructor(context: MeasureContext) {
    this.#context = context;
  }

  /** The runs of which something is staged. @throws UnavailableError, TimeoutError */
  runs({ record, map }: VariableHandle): Promise<ReadonlySet<string>> {
    return this.#runs.ask(`${record.name} ${record.createdAt}`, async () => {
      const replies = await complete<RunsReply>(() =>
        this.#router.request<RunsRequest, RunsReply>('runs', map.touched, () => ({ variable: record.name }), {
          deadline: monotonicNow() + OWNERS_MS,
        }),
      );
      return new Set(replies.flatMap(({ runs }) => runs));
    });
  }

  /** The steps of a run of which something is staged. @throws UnavailableError, TimeoutError */
  staged({ record, map }: VariableHandle, run: string): Promise<ReadonlySet<number>> {
    return this.#staged.ask(`${record.name} ${record.createdAt} ${run}`, async () => {
      const steps = new Set<number>();
      for (let from = 0; ; ) {
        const asked = { variable: record.name, run, steps: `${from}:${LAST_STEP}`, summary: true };
        const replies = await this.#list(map.touched, asked);
        const cuts = replies.flatMap(({ cursor }) => (cursor === undefined ? [] : [Number(cursor)]));
        const end = Math.min(Infinity, ...cuts);
        for (const { summaries = [] } of replies) {
          for (const { step } of summaries) if (step <= end) steps.add(step);
        }
        if (cuts.length === 0) return steps;
        from = end + 1;
      }
    });
  }

  /** The steps that cover a box, rising. @throws UnavailableError, TimeoutError */
  async covered({ variable, run, box }: SurveyedBox): Promise<readonly number[]> {
    const shards = variable.map.shardsOf(box);
    const asked = { variable: variable.record.name, run, box: formatBox(box), limit: STEPS_LIMIT, waitMs: 0 };
    const covered: number[] = [];
    for (let after = -1; ; ) {
      const from = after;
      const replies = await complete<CoveredReply>(() =>
        this.#router.request<CoveredRequest, CoveredReply>(
          'covered',
          shards,
          () => ({ ...asked, after: from, order: 'oldest' }),
          { deadline: monotonicNow() + OWNERS_MS },
        ),
      );
      // Beyond the last step of a list that was cut, that shard has not spoken yet.
      const end = Math.min(Infinity, ...replies.map(({ more, steps }) => (more ? (steps.at(-1) ?? from) : Infinity)));
      for (const step of common(replies)) if (step <= end) covered.push(step);
      if (end === Infinity) return covered;
      after = end;
    }
  }

  /** The partitions that touch a box. @throws UnavailableError, TimeoutError */
  async partitions({ variable, run, box }: SurveyedBox, wanted: (id: PartitionId) => boolean): Promise<Arrival[]> {
    const asked = { variable: variable.record.name, run, steps: `0:${LAST_STEP}` };
    const listed = (await this.#partitions(variable.map.touched, asked)).filter(({ id }) => wanted(id));
    const found: Arrival[] = [];
    await inParallel(listed, LOOKUPS, async ({ id, step, raw, bytes }) => {
      const whole = await this.#boxOf(raw, id);
      if (whole !== undefined && intersect(whole, box) !== undefined) found.push({ step, id, raw, bytes, box: whole });
    });
    return found.sort((a, b) => a.step - b.step || (a.id < b.id ? -1 : 1));
  }

  /** Whether anything is staged above a step that was put in an earlier epoch: a rollback is not through. */
  async superseded(
    variable: VariableHandle,
    run: string,
    { above, epoch }: { readonly above: number; readonly epoch: number },
  ): Promise<boolean> {
    if (above >= LAST_STEP - 1) return false;
    const steps = `${above + 1}:${LAST_STEP}`;
    const asked = { variable: variable.record.name, run, steps, belowEpoch: epoch };
    return (await this.#partitions(variable.map.touched, asked)).length > 0;
  }

  get #router(): ShardRouter {
    return this.#context.router;
  }

  #list(shards: readonly number[], body: Omit<ListRequest, 'shards'>): Promise<readonly ListReply[]> {
    const deadline = monotonicNow() + OWNERS_MS;
    return complete(() => this.#router.request<ListRequest, ListReply>('list', shards, () => body, { deadline }));
  }

  /** Partitions of all pages, each told by the lowest shard that it touches: a cursor is good for the owner that gave it, so that one is asked on with its own shards. */
  async #partitions(
    shards: readonly number[],
    body: Omit<ListRequest, 'shards'>,
  ): Promise<NonNullable<ListReply['partitions']>[number][]> {
    const all: NonNullable<ListReply['partitions']>[number][] = [];
    const seen = new Set<string>();
    const take = (replies: readonly ListReply[]): void => {
      for (const { partitions = [] } of replies) {
        for (const partition of partitions) {
          if (seen.has(partition.id)) continue;
          seen.add(partition.id);
          all.push(partition);
        }
      }
    };
    const replies = await this.#list(shards, body);
    take(replies);
    if (replies.every(({ cursor }) => cursor === undefined)) return all;
    // Too much for one message somewhere: shard by shard, page by page.
    for (const shard of shards) {
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const page: readonly ListReply[] = await this.#list([shard], { ...body, ...(cursor !== '' && { cursor }) });
        take(page);
        cursor = page.find((reply) => reply.cursor !== undefined)?.cursor;
      }
    }
    return all;
  }

  async #boxOf(raw: RawId, id: PartitionId): Promise<Box | undefined> {
    const { bus } = this.#context;
    const timeoutMs = LOOKUP_MS;
    const { reply } = await bus.requestJson<LookupReply>(
      rawSubject(raw, 'lookup'),
      { id, waitMs: 2000 },
      { timeoutMs },
    );
    return reply && parseBox(reply.box);
  }
}

/** Steps of all lists, rising. */
function common(replies: readonly CoveredReply[]): readonly number[] {
  const [first, ...others] = replies;
  if (first === undefined) return [];
  const sets = others.map(({ steps }) => new Set(steps));
  return first.steps.filter((step) => sets.every((set) => set.has(step)));
}

/** Asks again while an inventory is missing. @throws UnavailableError when it is still missing after some time */
async function complete<R extends ShardReply & { readonly absent?: readonly string[] }>(
  ask: () => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const deadline = monotonicNow() + OWNERS_MS;
  for (;;) {
    const replies = await ask();
    const absent = new Set(replies.flatMap((reply) => reply.absent ?? []));
    if (absent.size === 0) return replies;
    if (monotonicNow() + ABSENT_MS > deadline) throw absentError(absent);
    await sleep(ABSENT_MS);
  }
}
