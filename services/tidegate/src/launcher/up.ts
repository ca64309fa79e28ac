import { join, resolve } from 'node:path';
import { type Bus, type Logger, silentLogger } from '@tidegate/bus';
import { startMetaService } from '@tidegate/meta-service';
import { startRawService } from '@tidegate/raw-service';
import { formatBytes } from '../format/bytes.js';
import { parseNatsAddress } from '../nats-address.js';
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
import { type Stage, Teardown } from './teardown.js';

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
  /** Number of raw-services; default 1. */
  readonly raw?: number;
  /** Number of meta-services; default 1. */
  readonly meta?: number;
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
  const { logger = silentLogger, onNotice = () => {}, raw = 1, meta = 1, shards, signal } = options;
  const dataDir = resolve(options.dataDir ?? DEFAULT_DATA_DIR);
  const memoryDir = resolve(options.memoryDir ?? defaultMemoryDir(dataDir));
  const lock = lockDataDir(dataDir);
  teardown.add('lock', () => lock.release());

  const memoryRoom = await roomOf(memoryDir, 2 * DEFAULT_MEMORY_BYTES * raw);
  const diskRoom = await roomOf(dataDir, DEFAULT_DISK_BYTES * raw + MOST_JETSTREAM_BYTES);
  const maxFileStoreBytes = options.nats === undefined ? jetStreamBytes(diskRoom) : 0;
  const memoryBytes = options.memoryBytes ?? defaultMemoryBytes(memoryRoom, raw);
  const diskBytes = options.diskBytes ?? defaultDiskBytes(diskRoom, raw, maxFileStoreBytes);

  let server: LocalNats | undefined;
  if (options.nats === undefined) {
    const binary = findNatsServer();
    const folder = join(dataDir, 'nats');
    const { natsPort: port = DEFAULT_PORT } = options;
    server = await LocalNats.start({ binary, folder, port, maxFileStoreBytes, logger, onNotice });
    const started = server;
    teardown.add(
      'server',
      () => started.stop(),
      () => started.kill(),
    );
    onNotice(
      `nats-server   ${server.url}, ${binary}, JetStream in ${folder} (at most ${formatBytes(maxFileStoreBytes)})`,
    );
  }
  const nats = server?.url ?? options.nats ?? '';
  const url = parseNatsAddress(nats).servers.join(',');
  if (!server) onNotice(`NATS          ${url}`);
  onNotice(`raw-service   ${raw}, each ${formatBytes(memoryBytes)} of memory in ${memoryDir}`);
  onNotice(`              and ${formatBytes(diskBytes)} of disk in ${dataDir}`);
  onNotice(`meta-service  ${meta}`);
  for (const number of rawNumbers(dataDir).filter((number) => number > raw)) {
    onNotice(
      `${rawFolder(dataDir, number)} is of an earlier start with more raw-services: what it holds is not served`,
    );
  }

  let told = false;
  const connectService = async (name: string): Promise<Bus> => {
    const onWait = (): void => {
      if (!told) onNotice(`waiting for a NATS server at ${url}`);
      told = true;
    };
    const bus = await connectPatiently(nats, { name, logger, signal, onWait });
    teardown.add('connections', () => bus.close());
    return bus;
  };
  const launch = async (
    stage: Stage,
    name: string,
    run: (bus: Bus) => Promise<{ id: string; stop(): Promise<void> }>,
  ) => {
    const service = await run(await connectService(name));
    teardown.add(stage, () => service.stop());
    return service.id;
  };
  const rawFolders = Array.from({ length: raw }, (_, at) => rawFolder(memoryDir, at + 1));
  teardown.add('folders', () => removeEmptyFolders([...rawFolders, memoryDir]));
  const rawStarts = rawFolders.map((folder, at) =>
    launch('raw', 'tidegate-raw', (bus) =>
      startRawService({ bus, dataDir: rawFolder(dataDir, at + 1), memoryDir: folder, memoryBytes, diskBytes, logger }),
    ),
  );
  const metaStarts = Array.from({ length: meta }, () =>
    launch('meta', 'tidegate-meta', (bus) =>
      startMetaService({ bus, logger, ...(shards !== undefined && { shards }) }),
    ),
  );
  // All are awaited before the first failure is thrown, so that each one that did start is known to the teardown.
  await Promise.allSettled([...rawStarts, ...metaStarts]);
  const [rawServices, metaServices] = await Promise.all([Promise.all(rawStarts), Promise.all(metaStarts)]);
  const ready = await clusterReady(await connectService('tidegate-up'), rawServices, signal);
  if (shards !== undefined && shards !== ready.shards) {
    onNotice(`the cluster has ${ready.shards} shards since its first start and keeps them, not ${shards}`);
  }

  return {
    url,
    dataDir,
    memoryDir,
    memoryBytes,
    diskBytes,
    shards: ready.shards,
    rawServices,
    metaServices,
    ...(server && { natsServerPid: server.pid }),
    stop: () => teardown.run(),
  };
}
