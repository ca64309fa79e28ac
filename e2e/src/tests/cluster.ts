import { connect, type Tidegate } from '@tidegate/client';
import { type Exit, type RunningProcess, temporaryDirectory } from '@tidegate/testing';
import { memoryDirectory } from './memory-directory.js';
import { PlainClient } from './plain-client.js';
import { commandLine, spawnTidegate } from './tidegate-process.js';

export interface ClusterOptions {
  /** Raw-services; default 2. */
  readonly raw?: number;
  /** Meta-services; default 1. */
  readonly meta?: number;
  /** Trigger-engines; default: one, as `tidegate up` has it. */
  readonly engine?: number;
  readonly shards?: number;
  /** Bytes of each raw-service's memory; default 128 MiB. */
  readonly memory?: number;
  /** Path of a nats-server; default: the one that `tidegate up` finds. */
  readonly natsServer?: string;
}

/** Everything in one process, as `tidegate up` starts it, in folders of its own. */
export interface Cluster {
  readonly url: string;
  readonly process: RunningProcess;
  readonly dataDir: string;
  readonly memoryDir: string;
  /** A connection of the SDK; closed with the cluster. */
  sdk(): Promise<Tidegate>;
  /** A connection of a client that knows nothing but NATS; closed with the cluster. */
  plain(): Promise<PlainClient>;
  /** Ends it with SIGTERM and removes its folders. */
  stop(): Promise<Exit>;
}

/** Bytes in a mebibyte. */
export const MIB = 1 << 20;

/** Starts `tidegate up` on a free port. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { raw = 2, meta = 1, engine, shards, memory = 128 * MIB, natsServer } = options;
  const data = await temporaryDirectory('tidegate-e2e-');
  const shared = await memoryDirectory();
  const closing: (() => Promise<void>)[] = [];
  const removeFolders = async (): Promise<void> => {
    await Promise.all([data.remove(), shared.remove()]);
  };
  let process: RunningProcess;
  try {
    process = await spawnTidegate({
      args: [
        'up',
        ...commandLine({ natsPort: 0, dataDir: data.path, memoryDir: shared.path, memory, raw, meta, engine, shards }),
      ],
      ...(natsServer !== undefined && { env: { TIDEGATE_NATS_SERVER: natsServer } }),
    });
  } catch (error) {
    await removeFolders();
    throw error;
  }
  const url = process.ready[1] ?? '';
  return {
    url,
    process,
    dataDir: data.path,
    memoryDir: shared.path,
    async sdk() {
      const tidegate = await connect({ servers: url });
      closing.push(() => tidegate.close());
      return tidegate;
    },
    async plain() {
      const client = await PlainClient.connect(url);
      closing.push(() => client.close());
      return client;
    },
    async stop() {
      await Promise.all(closing.map((close) => close()));
      process.kill('SIGTERM');
      const exit = await process.waitExit();
      await removeFolders();
      return exit;
    },
  };
}
