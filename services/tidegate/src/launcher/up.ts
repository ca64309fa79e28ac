import { join, resolve } from 'node:path';
import { type Bus, LocalExchange, type Logger, silentLogger } from '@tidegate/bus';
import { startMetaService } from '@tidegate/meta-service';
import { startRawService } from '@tidegate/raw-service';
import { startTriggerEngine } from '@tidegate/trigger-engine';
import { formatBytes } from '../format/bytes.js';
import { DEFAULT_NATS, parseNatsAddress } from '../nats-address.js';
import {
  DEFAULT_DISK_BYTES,
  DEFAULT_MEMORY_BYTES,
  defaultDiskBytes,
  defaultMemoryBytes,
  jetStreamBytes,
  MOST_JETSTREAM_BYTES,
  roomOf,
} from './budget.js';
import { connectPatiently } from './connection.js';
import { lockDataDir } from './data-lock.js';
import { DEFAULT_DATA_DIR, defaultMemoryDir, rawFolder, rawNumbers, removeEmptyFolders } from './folders.js';
import { findNatsServer } from './nats-binary.js';
import { LocalNats } from './nats-server.js';
import { clusterReady } from './readiness.js';
import { Teardown } from './teardown.js';

/** What to start, and where. */
export interface TidegateOptions {
  /** A running NATS server with JetStream; default: one is started beside the services. */
  readonly nats?: string;
  /** Port of the server that is started; 0 takes a free one. Default 4222. */
  readonly natsPort?: number;
  /** What must outlive the process; default `./tidegate-data`. */
  readonly dataDir?: string;
  /** Memory-backed folder of the memory tiers; default: one in `/dev/shm` that belongs to `dataDir`. */
  readonly memoryDir?: string;
  /** Of each raw-service; default 1 GiB, or less where that is more than half of what is free. */
  readonly memoryBytes?: number;
  /** Of each raw-service; default 64 GiB, or less where less is free. */
  readonly diskBytes?: number;
  /** Heeded at the first start of a cluster, which then keeps it; default 16. */
  readonly shards?: number;
  /** Number of raw-services; default 1. More where an earlier start on `dataDir` had more. */
  readonly raw?: number;
  /** Number of meta-services; default 1. */
  readonly meta?: number;
  /** Number of trigger-engines; default 1. Without one nobody decides, and triggers cannot be registered. */
  readonly engine?: number;
  readonly logger?: Logger;
  /** Lines for people on what is started. */
  readonly onNotice?: (line: string) => void;
  /** Gives the start up. */
  readonly signal?: AbortSignal;
}

/** A Tidegate that runs in this process. */
export interface RunningTidegate {
  /** Where clients connect, without credentials. */
  readonly url: string;
  readonly dataDir: string;
  readonly memoryDir: string;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly shards: number;
  readonly rawServices: readonly string[];
  readonly metaServices: readonly string[];
  readonly triggerEngines: readonly string[];
  /** The nats-server that was started; none where `nats` was given. */
  readonly natsServerPid?: number;
  /** Stops the services, then the server, within ten seconds. What is staged stays. */
  stop(): Promise<void>;
}

const DEFAULT_PORT = 4222;

/**
 * Starts a nats-server and all services in this process, every service with a connection of its own, and returns once
 * everything answers.
 *
 * @throws ConflictError where the data directory or the port is in use; UnavailableError where there is no nats-server
 *   or something does not answer; what the services throw. Whatever was started is stopped again.
 */
export async function startTidegate(options: TidegateOptions = {}): Promise<RunningTidegate> {
  const teardown = new Teardown(options.logger ?? silentLogger);
  try {
    return await start(options, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function start(options: TidegateOptions, teardown: Teardown): Promise<RunningTidegate> {
  const { onNotice = () => {}, raw = 1, meta = 1, engine = 1, shards, signal } = options;
  const dataDir = resolve(options.dataDir ?? DEFAULT_DATA_DIR);
  const memoryDir = resolve(options.memoryDir ?? defaultMemoryDir(dataDir));
  const lock = lockDataDir(dataDir);
  teardown.add('lock', () => lock.release());

  const numbers = rawServiceNumbers(dataDir, raw);
  const memoryRoom = await roomOf(memoryDir, 2 * DEFAULT_MEMORY_BYTES * numbers.length);
  const diskRoom = await roomOf(dataDir, DEFAULT_DISK_BYTES * numbers.length + MOST_JETSTREAM_BYTES);
  const maxFileStoreBytes = options.nats === undefined ? jetStreamBytes(diskRoom) : 0;
  const memoryBytes = options.memoryBytes ?? defaultMemoryBytes(memoryRoom, numbers.length);
  const diskBytes = options.diskBytes ?? defaultDiskBytes(diskRoom, numbers.length, maxFileStoreBytes);

  const server = options.nats === undefined && (await startServer(options, dataDir, maxFileStoreBytes, teardown));
  const nats = server ? server.url : (options.nats ?? DEFAULT_NATS);
  const url = parseNatsAddress(nats).servers.join(',');
  if (!server) onNotice(`NATS            ${url}`);
  onNotice(`raw-service     ${numbers.length}, each ${formatBytes(memoryBytes)} of memory in ${memoryDir}`);
  onNotice(`                and ${formatBytes(diskBytes)} of disk in ${dataDir}`);
  if (numbers.length > raw) {
    onNotice(`                (${raw} asked for; those of earlier starts may hold data and are served as well)`);
  }
  onNotice(`meta-service    ${meta}`);
  onNotice(`trigger-engine  ${engine}`);

  const folders = numbers.map((number) => ({
    dataDir: rawFolder(dataDir, number),
    memoryDir: rawFolder(memoryDir, number),
  }));
  teardown.add('folders', () => removeEmptyFolders([...folders.map((folder) => folder.memoryDir), memoryDir]));
  const connectService = connector(nats, options, teardown);
  const rawServices = await all(
    folders.map(async (folder) => {
      const bus = await connectService('tidegate-raw');
      const service = await startRawService({ bus, ...folder, memoryBytes, diskBytes, logger: bus.logger });
      teardown.add('raw', () => service.stop());
      return service.id;
    }),
  );
  // Behind the raw-services, which they ask for what is staged already.
  const metaServices = await all(
    Array.from({ length: meta }, async () => {
      const bus = await connectService('tidegate-meta');
      const service = await startMetaService({ bus, logger: bus.logger, ...(shards !== undefined && { shards }) });
      teardown.add('meta', () => service.stop());
      return service.id;
    }),
  );
  const triggerEngines = await all(
    Array.from({ length: engine }, async () => {
      const bus = await connectService('tidegate-engine');
      const service = await startTriggerEngine({ bus, logger: bus.logger, ...(shards !== undefined && { shards }) });
      teardown.add('engine', () => service.stop());
      return service.id;
    }),
  );
  const started = { raws: rawServices, engines: triggerEngines };
  const ready = await clusterReady(await connectService('tidegate-up'), started, signal);
  if (shards !== undefined && shards !== ready.shards) {
    onNotice(`the cluster has ${ready.shards} shards since its first start and keeps them, not ${shards}`);
  }

  return {
    ...{ url, dataDir, memoryDir, memoryBytes, diskBytes, rawServices, metaServices, triggerEngines },
    shards: ready.shards,
    ...(server && { natsServerPid: server.pid }),
    stop: () => teardown.run(),
  };
}

async function startServer(
  { natsPort: port = DEFAULT_PORT, logger = silentLogger, onNotice = () => {} }: TidegateOptions,
  dataDir: string,
  maxFileStoreBytes: number,
  teardown: Teardown,
): Promise<LocalNats> {
  const binary = findNatsServer();
  const folder = join(dataDir, 'nats');
  const server = await LocalNats.start({ binary, folder, port, maxFileStoreBytes, logger, onNotice });
  teardown.add(
    'server',
    () => server.stop(),
    () => server.kill(),
  );
  const most = formatBytes(maxFileStoreBytes);
  onNotice(`nats-server     ${server.url}, ${binary}, JetStream in ${folder} (at most ${most})`);
  return server;
}

/** Connects the services one by one; that the server is waited for is told once. */
function connector(nats: string, options: TidegateOptions, teardown: Teardown): (name: string) => Promise<Bus> {
  const { logger = silentLogger, onNotice = () => {}, signal } = options;
  const exchange = new LocalExchange();
  let told = false;
  const onWait = (): void => {
    if (!told) onNotice(`waiting for a NATS server at ${parseNatsAddress(nats).servers.join(',')}`);
    told = true;
  };
  return async (name) => {
    const bus = await connectPatiently(nats, { name, logger, signal, onWait, exchange });
    teardown.add('connections', () => bus.close());
    return bus;
  };
}

/** Numbers of the raw-services to start: what an earlier start with more of them took must stay readable. */
function rawServiceNumbers(dataDir: string, raw: number): readonly number[] {
  const asked = Array.from({ length: raw }, (_, at) => at + 1);
  return [...asked, ...rawNumbers(dataDir).filter((number) => number > raw)];
}

/** As `Promise.all`, but a failure waits for the others, so that each one that did start is known to the teardown. */
async function all<T>(starts: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(starts);
  return Promise.all(starts);
}
