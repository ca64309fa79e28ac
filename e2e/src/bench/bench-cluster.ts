import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect, type Tidegate } from '@tidegate/client';
import {
  freePort,
  type NatsServer,
  type RunningProcess,
  spawnProcess,
  startNatsServer,
  temporaryDirectory,
} from '@tidegate/testing';
import { Redis } from 'ioredis';
import { connect as connectNats, type NatsConnection } from 'nats';
import { memoryDirectory } from '../tests/memory-directory.js';
import { commandLine, spawnTidegate } from '../tests/tidegate-process.js';

export interface BenchClusterOptions {
  /** Default: what `tidegate up` has. */
  readonly shards?: number;
  /** Bytes of each raw-service's memory; default 512 MiB. */
  readonly memory?: number;
  /** Default: what `tidegate up` starts. */
  readonly raw?: number;
  readonly maxPayload?: number;
}

/** A nats-server, `tidegate up` at it, and a responder of plain NATS as the reference, each in a process of its own. */
export interface BenchCluster {
  readonly url: string;
  readonly tide: Tidegate;
  /** A connection of its own; `echo.put` and `echo.get` are answered. */
  readonly nats: NatsConnection;
  stop(): Promise<void>;
}

const MAX_PAYLOAD = 64 << 20;

/** Starts it in folders of its own. */
export async function startBenchCluster(options: BenchClusterOptions = {}): Promise<BenchCluster> {
  const { shards, memory = 512 << 20, raw, maxPayload = MAX_PAYLOAD } = options;
  const ending: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ending.reverse()) await end();
  };
  try {
    const [data, shared] = [await temporaryDirectory('tidegate-bench-'), await memoryDirectory()];
    ending.push(() => Promise.all([data.remove(), shared.remove()]));
    const server: NatsServer = await startNatsServer({ maxPayload });
    ending.push(() => server.stop());
    const { url } = server;
    const responder = await spawnProcess({
      command: process.execPath,
      args: [fileURLToPath(new URL('./nats-reference.js', import.meta.url)), url],
      readyLine: /^ready$/,
    });
    ending.push(() => ended(responder));
    const folders = { dataDir: data.path, memoryDir: shared.path };
    const up = await spawnTidegate({
      args: ['up', ...commandLine({ nats: url, ...folders, memory, raw, shards })],
    });
    ending.push(() => ended(up));
    const nats = await connectNats({ servers: url, noAsyncTraces: true });
    ending.push(() => nats.close());
    const tide = await connect({ servers: url });
    ending.push(() => tide.close());
    return { url, tide, nats, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs something with a cluster that ends with it. */
export async function withBenchCluster<T>(
  options: BenchClusterOptions,
  use: (cluster: BenchCluster) => Promise<T>,
): Promise<T> {
  const cluster = await startBenchCluster(options);
  try {
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Ends a process that was asked nicely. */
export async function ended(child: RunningProcess): Promise<void> {
  child.kill('SIGTERM');
  await child.waitExit();
}

/** A redis-server of its own where one is on PATH. */
export async function startRedis(): Promise<{ readonly client: Redis; stop(): Promise<void> } | undefined> {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
  } catch {
    console.log('no redis-server on PATH: its columns are left out');
    return undefined;
  }
  const port = await freePort();
  const server = await spawnProcess({
    command: 'redis-server',
    args: ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'],
    readyLine: /Ready to accept connections/,
  });
  const client = new Redis(port, '127.0.0.1');
  return {
    client,
    async stop() {
      client.disconnect();
      await ended(server);
    },
  };
}
