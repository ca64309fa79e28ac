import {
  type Announcement,
  announce,
  type Bus,
  monotonicNow,
  newIncarnation,
  OwnerTable,
  openBucket,
  ShardRouter,
  type Subscribed,
  subscribe,
} from '@tidegate/bus';
import type { Box, ShardMap } from '@tidegate/geometry';
import {
  decodeBody,
  encodeBody,
  type IndexEntry,
  type IndexReply,
  type IndexRequest,
  type InventoryReply,
  type InventoryRequest,
  type MemberRecord,
  type RawId,
  type ReleaseRequest,
  rawSubject,
  type ShardReply,
  type Stamp,
  syncSubject,
  type UnindexRequest,
} from '@tidegate/protocol';

const PAGE = 100;

/** As much of a raw-service as shards see: it keeps entries in place of bytes, and tells and forgets them on request. */
export class FakeRaw {
  readonly id: RawId;
  readonly bus: Bus;
  readonly router: ShardRouter;
  readonly entries = new Map<string, IndexEntry>();
  readonly floors: InventoryReply['floors'][number][] = [];
  /** Calls of `release` and `discard`, as `operation:count:reason`. */
  readonly calls: string[] = [];
  incarnation = newIncarnation();
  /** Partitions whose removal has begun: the shards may have forgotten them, so no inventory tells of them. */
  readonly leaving = new Set<string>();
  /** Called before an inventory page is told. */
  beforePage: (request: InventoryRequest) => Promise<void> | void = () => {};
  readonly #maps = new Map<string, ShardMap>();
  #subscribed: Subscribed[] = [];
  #announced: Announcement | undefined;

  constructor(bus: Bus, id: string) {
    this.bus = bus;
    this.id = id as RawId;
    this.router = new ShardRouter(bus, OwnerTable.open(bus));
  }

  /** Makes the shard map of a variable known. */
  knows(variable: string, map: ShardMap): void {
    this.#maps.set(variable, map);
  }

  async start(): Promise<void> {
    const reply = (body: unknown) => ({ data: encodeBody(body, 'json') });
    const on = (subject: string, answer: (map: never) => unknown) =>
      subscribe(this.bus, subject, async ({ data }) => reply(await answer(decodeBody(data).map as never)));
    this.#subscribed = [
      on(rawSubject(this.id, 'inventory'), (request: InventoryRequest) => this.#inventory(request)),
      on(rawSubject(this.id, 'release'), (request: ReleaseRequest) => this.#release(request)),
      on(rawSubject(this.id, 'discard'), ({ ids }: { ids: string[] }) => {
        this.calls.push(`discard:${ids.length}`);
        for (const id of ids) this.entries.delete(id);
        return { partitions: ids.length, bytes: 0 };
      }),
      on(syncSubject(this.id), () => ({})),
    ];
    const raws = await openBucket<object>(this.bus, 'raws');
    await raws.create(this.id, {});
    const members = await openBucket<MemberRecord>(this.bus, 'members');
    const startedAt = new Date().toISOString();
    this.#announced = await announce(this.bus, members, () => ({
      id: this.id,
      kind: 'raw',
      incarnation: this.incarnation,
      host: 'h',
      pid: 1,
      startedAt,
    }));
  }

  /** Leaves as a process that ends. */
  async stop(): Promise<void> {
    await Promise.all(this.#subscribed.map((one) => one.stop()));
    await this.#announced?.stop();
    this.#subscribed = [];
    this.#announced = undefined;
  }

  /** Comes back as another start of the process. */
  async restart(): Promise<void> {
    await this.stop();
    this.incarnation = newIncarnation();
    await this.start();
  }

  /** Puts as a raw-service does: known to the inventory first, then indexed at all shards, with newer stamps as asked. */
  async put(entry: IndexEntry): Promise<IndexEntry> {
    let current: IndexEntry = { ...entry, raw: this.id };
    for (;;) {
      this.entries.set(current.id, current);
      const outcomes = await this.index(current);
      const above = Math.max(-1, ...outcomes.map((outcome) => (outcome.kind === 'restamp' ? outcome.above : -1)));
      if (
        outcomes.some(
          (outcome) => outcome.kind === 'stale' || outcome.kind === 'superseded' || outcome.kind === 'duplicate',
        )
      ) {
        throw new Error(JSON.stringify(outcomes));
      }
      if (above < 0) return current;
      current = { ...current, stamp: (above + 1) as Stamp };
    }
  }

  async index(entry: IndexEntry, replace = false): Promise<IndexReply['outcome'][]> {
    const body = { entry, incarnation: this.incarnation, ...(replace && { replace: true as const }) };
    const replies = await this.router.request<IndexRequest, IndexReply>(
      'index',
      this.#shards(entry.variable, entry.box),
      () => body,
      {
        deadline: monotonicNow() + 10_000,
      },
    );
    return replies.map((reply) => reply.outcome);
  }

  async unindex(entries: readonly IndexEntry[], reason: UnindexRequest['reason'], floor?: number): Promise<void> {
    const [first] = entries;
    if (!first) return;
    const shards = new Set(entries.flatMap((entry) => this.#shards(entry.variable, entry.box)));
    const { variable, run, step } = first;
    const body = {
      raw: this.id,
      variable,
      run,
      step,
      ids: entries.map((entry) => entry.id),
      reason,
      ...(floor !== undefined && { floor }),
    };
    await this.router.request<UnindexRequest, ShardReply>(
      'unindex',
      [...shards].sort((a, b) => a - b),
      () => body,
      {
        deadline: monotonicNow() + 10_000,
      },
    );
  }

  /** Forgets partitions of one step: first at the shards, then here. */
  async remove(entries: readonly IndexEntry[], reason: UnindexRequest['reason']): Promise<void> {
    for (const { id } of entries) this.leaving.add(id);
    await this.unindex(entries, reason);
    for (const { id } of entries) {
      this.entries.delete(id);
      this.leaving.delete(id);
    }
  }

  #shards(variable: string, box: Box): readonly number[] {
    const map = this.#maps.get(variable);
    if (!map) throw new Error(`no shard map of ${variable}`);
    return map.shardsOf(box);
  }

  async #inventory(request: InventoryRequest): Promise<InventoryReply> {
    const { shard, cursor = '' } = request;
    // As it stood when the request came; what changes while the reply is on its way is told by messages.
    const found = [...this.entries.values()]
      .filter(
        (entry) =>
          entry.id > cursor && !this.leaving.has(entry.id) && this.#shards(entry.variable, entry.box).includes(shard),
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const page = found.slice(0, PAGE);
    const last = page.at(-1);
    const reply = { incarnation: this.incarnation, entries: page, floors: this.floors };
    await this.beforePage(request);
    return found.length > PAGE && last ? { ...reply, cursor: last.id } : reply;
  }

  async #release({ ids, reason }: ReleaseRequest): Promise<object> {
    this.calls.push(`release:${ids.length}:${reason}`);
    const held = ids.flatMap((id) => this.entries.get(id) ?? []);
    const steps = Map.groupBy(held, (entry) => `${entry.variable} ${entry.run} ${entry.step}`);
    for (const group of steps.values()) await this.remove(group, reason);
    return { partitions: held.length, bytes: held.reduce((sum, entry) => sum + entry.bytes, 0) };
  }
}
