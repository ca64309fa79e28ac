import { type Bus, connectBus, type Incoming, type Subscribed, subscribe } from '@tidegate/bus';
import { variableHandle } from '@tidegate/client/region';
import { type Box, formatBox, parseBox, tile } from '@tidegate/geometry';
import {
  type CoveredReply,
  type CoveredRequest,
  decodeBody,
  type Epoch,
  encodeBody,
  type ListReply,
  type ListRequest,
  OWNERS,
  OWNERS_ASK,
  type PartitionId,
  type PlanReply,
  type PlanRequest,
  type RawId,
  type RunsReply,
  type ShardOperation,
  selects,
  shardSubject,
  type VariableRecord,
} from '@tidegate/protocol';
import { ulid } from 'ulid';

/** A partition as the fake shards know it. */
export interface FakeEntry {
  readonly id: PartitionId;
  readonly run: string;
  readonly step: number;
  readonly epoch: number;
  readonly box: Box;
}

const RAW = 'raw-a' as RawId;
const BYTES = 8;

/** One owner of all shards, who answers by what a test says is staged of one variable. */
export class FakeShards {
  readonly bus: Bus;
  readonly record: VariableRecord;
  entries: FakeEntry[] = [];
  /** Most steps of a page. */
  page = 1000;
  /** Raw-services whose inventory is not in. */
  absent: string[] = [];
  /** Counts requests by operation. */
  readonly asked = new Map<string, number>();
  readonly #stops: (() => void)[] = [];
  readonly #serving: Subscribed[] = [];

  static async start(url: string, record: VariableRecord): Promise<FakeShards> {
    const bus = await connectBus({ servers: url, name: 'fake-shards' });
    const fake = new FakeShards(bus, record);
    await bus.flush();
    return fake;
  }

  private constructor(bus: Bus, record: VariableRecord) {
    this.bus = bus;
    this.record = record;
    const shards = Array.from({ length: record.shards }, (_, shard) => shard);
    const announce = () => bus.publish(OWNERS, encodeBody({ id: 'fake', shards }, 'json'));
    this.#stops.push(bus.listen(OWNERS_ASK, announce));
    for (const shard of shards) {
      const every = shardSubject(shard, '*' as ShardOperation);
      this.#serving.push(subscribe(bus, every, (request) => ({ data: encodeBody(this.#answer(request), 'json') })));
    }
    announce();
  }

  stage(entry: { run?: string; step: number; epoch?: number; box?: string }): FakeEntry {
    const { run = 'r', step, epoch = 0, box } = entry;
    const domain = variableHandle(this.record).domain;
    const staged = { id: ulid() as PartitionId, run, step, epoch, box: box === undefined ? domain : parseBox(box) };
    this.entries.push(staged);
    return staged;
  }

  drop(entry: FakeEntry): void {
    this.entries = this.entries.filter((other) => other !== entry);
  }

  async end(): Promise<void> {
    for (const stop of this.#stops) stop();
    await Promise.all(this.#serving.map((served) => served.stop()));
    await this.bus.close();
  }

  #answer({ subject, data }: Incoming): object {
    const operation = subject.slice(subject.lastIndexOf('.') + 1);
    this.asked.set(operation, (this.asked.get(operation) ?? 0) + 1);
    const { map } = decodeBody(data);
    const absent = this.absent.length > 0 ? { absent: this.absent } : {};
    return { ...this.#reply(operation, map), ...absent };
  }

  #reply(operation: string, map: unknown): object {
    if (operation === 'plan') return this.#plan(map as PlanRequest);
    if (operation === 'covered') return this.#covered(map as CoveredRequest);
    if (operation === 'list') return this.#list(map as ListRequest);
    return { runs: [...new Set(this.entries.map(({ run }) => run))] } satisfies RunsReply;
  }

  #of(run: string, step: number): FakeEntry[] {
    return this.entries.filter((entry) => entry.run === run && entry.step === step).toReversed();
  }

  #plan({ run, step, box }: PlanRequest): PlanReply {
    const { pieces, missing } = tile(parseBox(box), this.#of(run, step));
    return {
      covered: missing.length === 0,
      epoch: 0 as Epoch,
      pieces: pieces.map((piece) => ({
        id: piece.partition.id,
        box: formatBox(piece.box),
        raw: RAW,
        tier: 'memory',
        bytes: BYTES,
      })),
      missing: missing.map(formatBox),
      missingCount: missing.length,
    };
  }

  #covered({ run, box, after, limit }: CoveredRequest): CoveredReply {
    const query = parseBox(box);
    const steps = this.#steps(run).filter(
      (step) => step > after && tile(query, this.#of(run, step)).missing.length === 0,
    );
    const most = Math.min(limit, this.page);
    return { steps: steps.slice(0, most), more: steps.length > most, version: '' };
  }

  #list({ run, steps = [], summary, belowEpoch = Infinity, cursor }: ListRequest): ListReply {
    const from = cursor === undefined ? 0 : Number(cursor) + 1;
    const chosen = this.#steps(run).filter((step) => step >= from && selects(steps as string, step));
    const page = chosen.slice(0, this.page);
    const more = chosen.length > page.length ? { cursor: String(page.at(-1)) } : {};
    if (summary) {
      const summaries = page.map((step) => ({ step, covered: false, partitions: 1, bytes: BYTES, onDisk: 0 }));
      return { summaries, ...more };
    }
    const partitions = page.flatMap((step) =>
      this.#of(run, step)
        .filter(({ epoch }) => epoch < belowEpoch)
        .map(({ id }) => ({ id, variable: this.record.name, step, bytes: BYTES, raw: RAW })),
    );
    return { partitions, ...more };
  }

  #steps(run: string): number[] {
    const steps = new Set(this.entries.filter((entry) => entry.run === run).map(({ step }) => step));
    return [...steps].sort((a, b) => a - b);
  }
}
