import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bus, connectBus, type Message, openBucket, silentLogger } from '@tidegate/bus';
import {
  type ClusterConfig,
  decodeBody,
  encodeBody,
  HEADERS,
  type PutReply,
  type RawId,
  type RawOperation,
  type RunRecord,
  rawSubject,
  type TriggerRecord,
  type VariableRecord,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer, type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { type RawService, type RawServiceOptions, startRawService } from '../raw-service.js';
import { FakeShards } from './fake-shards.js';

const SHARDS = 4;
const TIMEOUT_MS = 10_000;

/** Raw-services on a nats-server of their own, with a stand-in for the shards. */
export class RawBench {
  readonly server: NatsServer;
  /** Of whoever asks. */
  readonly bus: Bus;
  readonly shards: FakeShards;
  readonly folder: TemporaryDirectory;
  readonly #stops: (() => Promise<void>)[] = [];

  private constructor(server: NatsServer, bus: Bus, folder: TemporaryDirectory) {
    this.server = server;
    this.bus = bus;
    this.shards = new FakeShards(bus, SHARDS);
    this.folder = folder;
  }

  static async start(options: { readonly maxPayload?: number } = {}): Promise<RawBench> {
    const server = await startNatsServer(options);
    const bus = await connectBus({ servers: server.url, name: 'test' });
    const cluster = await openBucket<ClusterConfig>(bus, 'cluster');
    await cluster.create('config', { shards: SHARDS, protocol: 1, createdAt: '' });
    return new RawBench(server, bus, await temporaryDirectory('raw-bench-'));
  }

  /** Starts a raw-service; the same id finds what it left. */
  async raw(id: string, options: Partial<RawServiceOptions> = {}): Promise<RawService> {
    const bus = await connectBus({ servers: this.server.url, name: id });
    const service = await startRawService({
      bus,
      id,
      dataDir: join(this.folder.path, id),
      memoryDir: join(this.folder.path, 'memory'),
      memoryBytes: 8 << 20,
      diskBytes: 1 << 30,
      logger: silentLogger,
      ...options,
    });
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= service.stop().then(() => bus.close());
      return stopped;
    };
    this.#stops.push(stop);
    return { id: service.id, stop };
  }

  /** As a start of the host does to a raw-service that does not run. */
  async loseMemory(id: string): Promise<void> {
    await rm(join(this.folder.path, 'memory', id), { recursive: true });
  }

  async declare(name: string, options: Partial<VariableRecord> = {}): Promise<VariableRecord> {
    const record: VariableRecord = {
      name,
      dtype: 'float64',
      shape: [64, 64],
      window: 10,
      onEvict: 'spill',
      durability: 'memory',
      annotation: 'optional',
      createdAt: new Date().toISOString(),
      shards: SHARDS,
      ...options,
    };
    await (await openBucket<VariableRecord>(this.bus, 'variables')).put(name, record);
    return record;
  }

  /** Writes a trigger's record. @returns its revision */
  async trigger(record: TriggerRecord): Promise<number> {
    return (await openBucket<TriggerRecord>(this.bus, 'triggers')).put(record.name, record);
  }

  /** Records a rollback of a run. */
  async rollBack(run: string, epoch: number, toStep: number): Promise<void> {
    const record: RunRecord = { run, epoch, toStep, at: new Date().toISOString() };
    await (await openBucket<RunRecord>(this.bus, 'runs')).put(run, record);
  }

  async put(raw: string, descriptor: Readonly<Record<string, string | number>>, data: Uint8Array): Promise<PutReply> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(descriptor)) {
      headers[HEADERS[name as keyof typeof HEADERS]] = String(value);
    }
    const reply = await this.bus.request(rawSubject(raw, 'put'), data, { timeoutMs: TIMEOUT_MS, headers });
    return decodeBody(reply.data).map as unknown as PutReply;
  }

  /** A request to one raw-service, with the body that all its replies together make up. */
  async ask<T>(raw: RawId | string, operation: RawOperation, body: object): Promise<T> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const take = (reply: Message) => {
      parts.push(reply.data.slice());
      bytes += reply.data.length;
      const total = reply.header(HEADERS.totalBytes);
      return total === '' || bytes >= Number(total) ? 'done' : 'more';
    };
    const request = encodeBody(body, 'json');
    await this.bus.requestStream(rawSubject(raw, operation), request, { timeoutMs: TIMEOUT_MS }, take);
    return decodeBody(Buffer.concat(parts)).map as T;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
    await this.shards.stop();
    await this.bus.close();
    await this.server.stop();
    await this.folder.remove();
  }
}
