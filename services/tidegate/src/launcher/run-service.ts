import { resolve } from 'node:path';
import type { Logger } from '@tidegate/bus';
import { startMetaService } from '@tidegate/meta-service';
import { startRawService } from '@tidegate/raw-service';
import { startTriggerEngine } from '@tidegate/trigger-engine';
import { parseNatsAddress } from '../nats-address.js';
import { DEFAULT_DISK_BYTES, DEFAULT_MEMORY_BYTES, defaultDiskBytes, defaultMemoryBytes, roomOf } from './budget.js';
import { connectPatiently } from './connection.js';
import { lockDataDir } from './data-lock.js';
import { DEFAULT_DATA_DIR, defaultMemoryDir, removeEmptyFolders } from './folders.js';
import { Teardown } from './teardown.js';

type ServiceKind = 'raw' | 'meta' | 'engine';

interface ServiceOptions {
  readonly nats: string;
  readonly id?: string;
  readonly logger: Logger;
  readonly onNotice: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface RunRawOptions extends ServiceOptions {
  /** The service's own; default `./tidegate-data`. */
  readonly dataDir?: string;
  /** The service's own; default: one in `/dev/shm` that belongs to `dataDir`. */
  readonly memoryDir?: string;
  /** Default: as for `startTidegate` with one raw-service. */
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
}

export interface RunMetaOptions extends ServiceOptions {
  /** Heeded at the first start of a cluster; default 16. */
  readonly shards?: number;
}

export type RunEngineOptions = RunMetaOptions;

/** One service that runs in this process. */
export interface RunningService {
  readonly service: ServiceKind;
  readonly id: string;
  /** Of its NATS server, without credentials. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Runs one raw-service. @throws ConflictError where its data directory is in use; what the service throws */
export function runRaw(options: RunRawOptions): Promise<RunningService> {
  return running('raw', options, async (bus, teardown) => {
    const dataDir = resolve(options.dataDir ?? DEFAULT_DATA_DIR);
    const memoryDir = resolve(options.memoryDir ?? defaultMemoryDir(dataDir));
    const lock = lockDataDir(dataDir);
    teardown.add('lock', () => lock.release());
    teardown.add('folders', () => removeEmptyFolders([memoryDir]));
    const memoryBytes = options.memoryBytes ?? defaultMemoryBytes(await roomOf(memoryDir, 2 * DEFAULT_MEMORY_BYTES), 1);
    const diskBytes = options.diskBytes ?? defaultDiskBytes(await roomOf(dataDir, DEFAULT_DISK_BYTES), 1, 0);
    const { id, logger } = options;
    return startRawService({
      bus,
      dataDir,
      memoryDir,
      memoryBytes,
      diskBytes,
      logger,
      ...(id !== undefined && { id }),
    });
  });
}

/** Runs one meta-service. @throws what the service throws */
export function runMeta(options: RunMetaOptions): Promise<RunningService> {
  const { id, shards, logger } = options;
  return running('meta', options, (bus) =>
    startMetaService({ bus, logger, ...(id !== undefined && { id }), ...(shards !== undefined && { shards }) }),
  );
}

/** Runs one trigger-engine. @throws what the service throws */
export function runEngine(options: RunEngineOptions): Promise<RunningService> {
  const { id, shards, logger } = options;
  return running('engine', options, (bus) =>
    startTriggerEngine({ bus, logger, ...(id !== undefined && { id }), ...(shards !== undefined && { shards }) }),
  );
}

type Start = (
  bus: Awaited<ReturnType<typeof connectPatiently>>,
  teardown: Teardown,
) => Promise<{ readonly id: string; stop(): Promise<void> }>;

async function running(service: ServiceKind, options: ServiceOptions, start: Start): Promise<RunningService> {
  const { nats, logger, onNotice, signal } = options;
  const url = parseNatsAddress(nats).servers.join(',');
  const teardown = new Teardown(logger);
  try {
    const onWait = (): void => onNotice(`waiting for a NATS server at ${url}`);
    const bus = await connectPatiently(nats, { name: `tidegate-${service}`, logger, signal, onWait });
    teardown.add('connections', () => bus.close());
    const { id, stop } = await start(bus, teardown);
    teardown.add(service, () => stop());
    return { service, id, url, stop: () => teardown.run() };
  } catch (error) {
    await teardown.run();
    throw error;
  }
}
