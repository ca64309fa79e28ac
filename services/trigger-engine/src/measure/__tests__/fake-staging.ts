import {
  type Bus,
  connectBus,
  type Incoming,
  OwnerTable,
  ShardRouter,
  type Subscribed,
  silentLogger,
  subscribe,
} from '@tidegate/bus';
import { variableHandle } from '@tidegate/client/region';
import { type Box, boxOfShape, formatBox, parseBox, tile } from '@tidegate/geometry';
import {
  type Epoch,
  encodeBody,
  type LookupReply,
  type LookupRequest,
  type PartitionId,
  type Piece,
  type PlanReply,
  type PlanRequest,
  type RawId,
  type RawOperation,
  rawSubject,
  shardSubject,
  type VariableRecord,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import { ulid } from 'ulid';
import type { MeasureContext } from '../context.js';
import type { StepAddress } from '../plan-step.js';

/** A partition as the fake shards know it. */
export interface FakePartition {
  readonly id: PartitionId;
  readonly step: number;
  readonly box: Box;
  readonly raw: RawId;
  readonly bytes: number;
}

const utf8 = new TextDecoder();
const SHARDS = 4;

/** The JSON body of a request. */
export function bodyOf<T>({ data }: Incoming): T {
  return JSON.parse(utf8.decode(data)) as T;
}

/** A nats-server with shards that answer plans and lookups of what a test says is staged; raw-services are the test's. */
export class FakeStaging implements MeasureContext {
  readonly server: NatsServer;
  readonly bus: Bus;
  readonly router: ShardRouter;
  readonly logger = silentLogger;
  /** Newest last. */
  partitions: FakePartition[] = [];
  dropped = false;
  /** Plans that were asked for. */
  plans = 0;
  readonly variables = new Map<string, VariableRecord>();
  readonly #owners: OwnerTable;
  readonly #serving: Subscribed[] = [];

  static async start(): Promise<FakeStaging> {
    const server = await startNatsServer();
    const staging = new FakeStaging(server, await connectBus({ servers: server.url, name: 'fake-staging' }));
    await staging.bus.flush();
    return staging;
  }

  private constructor(server: NatsServer, bus: Bus) {
    this.server = server;
    this.bus = bus;
    this.#owners = OwnerTable.open(bus);
    this.router = new ShardRouter(bus, this.#owners);
    for (let shard = 0; shard < SHARDS; shard++) {
      const plan = (request: Incoming) => ({ data: encodeBody(this.#plan(bodyOf<PlanRequest>(request)), 'json') });
      this.#serving.push(subscribe(bus, shardSubject(shard, 'plan'), plan));
    }
  }

  declare(name: string, shape: readonly number[], dtype: VariableRecord['dtype'] = 'float64'): VariableRecord {
    const record: VariableRecord = {
      name,
      dtype,
      shape,
      window: 10,
      onEvict: 'spill',
      durability: 'memory',
      annotation: 'optional',
      createdAt: '2026-01-01T00:00:00.000Z',
      shards: SHARDS,
    };
    this.variables.set(name, record);
    return record;
  }

  variable = (name: string) => {
    const record = this.variables.get(name);
    return Promise.resolve(record && variableHandle(record));
  };

  /** The address of a step of a declared variable. */
  at(name: string, step: number, box?: string): StepAddress {
    const record = this.variables.get(name);
    if (record === undefined) throw new Error(`${name} is not declared`);
    const variable = variableHandle(record);
    return {
      variable,
      box: box === undefined ? boxOfShape(record.shape) : parseBox(box),
      run: 'r',
      step,
      trigger: 't',
    };
  }

  /** Stages a partition; its data is the test's. */
  stage({ step = 1, box, raw = 'raw-a' }: { step?: number; box: string; raw?: string }): FakePartition {
    const parsed = parseBox(box);
    const cells = parsed.lower.reduce((product, lower, axis) => product * ((parsed.upper[axis] ?? 0) - lower), 1);
    const partition = { id: ulid() as PartitionId, step, box: parsed, raw: raw as RawId, bytes: cells * 8 };
    this.partitions.push(partition);
    return partition;
  }

  /** Answers an operation of a raw-service. */
  raw(id: string, operation: RawOperation, answer: (request: Incoming) => Promise<object> | object): Subscribed {
    const served = subscribe(this.bus, rawSubject(id, operation), async (request) => {
      const reply = await answer(request);
      return { data: reply instanceof Uint8Array ? reply : encodeBody(reply, 'json') };
    });
    this.#serving.push(served);
    return served;
  }

  /** Has a raw-service know which of the staged partitions it holds. */
  answerLookups(raw: string, epoch = 0): void {
    this.raw(raw, 'lookup', (request) => {
      const { id } = bodyOf<LookupRequest>(request);
      const found = this.partitions.find((partition) => partition.id === id && partition.raw === raw);
      if (!found) return { state: 'absent' } satisfies LookupReply;
      const { step, box, bytes } = found;
      const reply = { id, run: 'r', variable: 'T', step, epoch, box: formatBox(box), bytes, rawService: raw };
      return { state: 'stored', reply };
    });
  }

  async end(): Promise<void> {
    this.#owners.close();
    await Promise.all(this.#serving.map((served) => served.stop()));
    await this.bus.close();
    await this.server.stop();
  }

  /** What the shards of a request know of its box: they answer for the whole of it, which is as good. */
  #plan({ step, box, shards, variable }: PlanRequest): PlanReply {
    this.plans++;
    const query = parseBox(box);
    const staged = this.partitions.filter((partition) => partition.step === step).toReversed();
    const opaque = this.variables.get(variable)?.dtype === 'bytes';
    const { pieces, missing } = tile(query, staged);
    const first = this.at(variable, step, box).variable.map.shardsOf(query)[0];
    const told = shards.includes(first ?? 0);
    return {
      covered: missing.length === 0,
      epoch: 3 as Epoch,
      pieces: told
        ? pieces.map((piece): Piece => pieceOf(piece.partition, opaque ? piece.partition.box : piece.box))
        : [],
      missing: told ? missing.map(formatBox) : [],
      missingCount: told ? missing.length : 0,
      ...(this.dropped && { dropped: true }),
    };
  }
}

function pieceOf({ id, raw, bytes }: FakePartition, box: Box): Piece {
  return { id, box: formatBox(box), raw, tier: 'memory', bytes };
}
