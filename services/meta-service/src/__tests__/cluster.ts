import { type Bus, connectBus, type Logger, silentLogger } from '@tidegate/bus';
import { createShardMap, parseBox, type ShardMap } from '@tidegate/geometry';
import {
  OWNERS,
  type OwnersAnnouncement,
  PUBLIC,
  type QueryReply,
  type StepsReply,
  type VariableRecord,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import { type MetaService, startMetaService } from '../meta-service.js';
import { FakeRaw } from './fake-raw.js';
import { entryOf } from './painted.js';

const utf8 = new TextDecoder();

/** A nats-server with meta-services and fake raw-services, each on a connection of its own. */
export class Cluster {
  readonly server: NatsServer;
  /** A client's connection. */
  readonly bus: Bus;
  readonly raws: FakeRaw[] = [];
  /** Who announced which shards last. */
  readonly owned = new Map<string, readonly number[]>();
  readonly #metas = new Map<MetaService, Bus>();
  readonly #buses: Bus[] = [];
  /** Number of the newest partition, and its stamp. */
  serial = 0;

  static async start(): Promise<Cluster> {
    const server = await startNatsServer();
    const cluster = new Cluster(server, await connectBus({ servers: server.url, name: 'client' }));
    cluster.bus.listen(OWNERS, (data) => {
      const { id, shards } = JSON.parse(utf8.decode(data)) as OwnersAnnouncement;
      cluster.owned.set(id, shards);
    });
    return cluster;
  }

  /** With two raw-services and two meta-services, which own all shards. */
  static async ofTwo(): Promise<{ cluster: Cluster; raw: FakeRaw; other: FakeRaw; metas: MetaService[] }> {
    const cluster = await Cluster.start();
    const raw = await cluster.raw('raw-a');
    const other = await cluster.raw('raw-b');
    const metas = [await cluster.meta('meta-1'), await cluster.meta('meta-2')];
    await cluster.settled(metas);
    return { cluster, raw, other, metas };
  }

  private constructor(server: NatsServer, bus: Bus) {
    this.server = server;
    this.bus = bus;
  }

  async connect(name: string): Promise<Bus> {
    const bus = await connectBus({ servers: this.server.url, name });
    this.#buses.push(bus);
    return bus;
  }

  async meta(id: string, shards = 16, logger: Logger = silentLogger): Promise<MetaService> {
    const bus = await this.connect(id);
    const meta = await startMetaService({ bus, id, logger, shards });
    this.#metas.set(meta, bus);
    return meta;
  }

  /** Ends a meta-service in good order. */
  async stop(meta: MetaService): Promise<void> {
    await meta.stop();
    await this.#metas.get(meta)?.close();
    this.#metas.delete(meta);
    this.owned.delete(meta.id);
  }

  /** Cuts a meta-service off for good, as if its process had been killed. */
  async crash(meta: MetaService): Promise<void> {
    await this.#metas.get(meta)?.connection.close();
    this.owned.delete(meta.id);
  }

  async raw(id: string): Promise<FakeRaw> {
    const raw = new FakeRaw(await this.connect(id), id);
    await raw.start();
    this.raws.push(raw);
    return raw;
  }

  /** Waits until these meta-services own all shards between them. */
  async settled(metas: readonly MetaService[], shards = 16): Promise<void> {
    await until(
      () => {
        const all = metas.map((meta) => this.owned.get(meta.id) ?? []);
        return (
          all.every((list) => list.length > 0) && new Set(all.flat()).size === shards && all.flat().length === shards
        );
      },
      { what: `${metas.length} meta-services to own ${shards} shards` },
    );
  }

  request<T>(subject: string, body: object, timeoutMs = 15_000): Promise<T> {
    return this.bus.requestJson<T>(subject, body, { timeoutMs });
  }

  /** Has a raw-service index a partition of 8 bytes, newer than those before. */
  put(at: FakeRaw, variable: string, step: number, text: string, over: object = {}): ReturnType<FakeRaw['put']> {
    const stamp = ++this.serial;
    return at.put(entryOf(stamp, parseBox(text), { variable, run: 'default', step, bytes: 8, stamp, ...over }));
  }

  query(variable: string, step: number, more: object = {}): Promise<QueryReply> {
    return this.request<QueryReply>(PUBLIC.query, { variable, step, ...more });
  }

  steps(variable: string, more: object = {}): Promise<StepsReply> {
    return this.request<StepsReply>(PUBLIC.steps, { variable, ...more });
  }

  /** Declares a variable and tells the raw-services of its map. */
  async declare(name: string, shape: readonly number[], more: object = {}): Promise<ShardMap> {
    const record = await this.request<VariableRecord>(PUBLIC.declare, { name, dtype: 'float64', shape, ...more });
    const map = createShardMap(record);
    for (const raw of this.raws) raw.knows(name, map);
    return map;
  }

  async end(): Promise<void> {
    for (const meta of [...this.#metas.keys()]) await this.stop(meta);
    for (const raw of this.raws) await raw.stop();
    for (const bus of [this.bus, ...this.#buses]) await bus.close();
    await this.server.stop();
  }
}
