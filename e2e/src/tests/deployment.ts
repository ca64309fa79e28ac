import { join } from 'node:path';
import {
  type Exit,
  type NatsServer,
  type RunningProcess,
  startNatsServer,
  temporaryDirectory,
} from '@tidegate/testing';
import { memoryDirectory } from './memory-directory.js';
import { commandLine, spawnTidegate } from './tidegate-process.js';

export interface DeploymentOptions {
  readonly raw: number;
  readonly meta: number;
  /** Bytes of each raw-service's memory; default 64 MiB. */
  readonly memory?: number;
  readonly shards?: number;
}

/** Each service a process of its own, beside a nats-server, so that they can be killed one by one. */
export interface Deployment {
  readonly url: string;
  readonly nats: NatsServer;
  readonly dataDir: string;
  readonly memoryDir: string;
  /** `raw-1`, `meta-2` …, those that run. */
  services(): readonly { readonly name: string; readonly pid: number }[];
  /** Starts a service, of a new name or one that has ended. */
  start(name: string): Promise<void>;
  /** Sends a signal and returns at once. */
  signal(name: string, signal: NodeJS.Signals): void;
  /** Sends a signal that ends the service, and waits for its end. */
  end(name: string, signal: NodeJS.Signals): Promise<Exit>;
  errorOutput(name: string): string;
  stop(): Promise<void>;
}

/** Limits of a nats-server as `tidegate up` starts it. */
const NATS_CONFIG = 'max_pending: 512MB\nwrite_deadline: "30s"';

/** Starts a nats-server and services `raw-1` …, `meta-1` …. */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { memory = 64 << 20, shards } = options;
  const nats = await startNatsServer({ maxPayload: 8 << 20, config: NATS_CONFIG });
  const data = await temporaryDirectory('tidegate-e2e-');
  const shared = await memoryDirectory();
  const running = new Map<string, RunningProcess>();

  const find = (name: string): RunningProcess => {
    const found = running.get(name);
    if (!found) throw new Error(`expected ${name} to run; running are ${[...running.keys()].join(', ')}`);
    return found;
  };
  const start = async (name: string): Promise<void> => {
    const [kind = ''] = name.split('-');
    const own =
      kind === 'raw' ? { dataDir: join(data.path, name), memoryDir: join(shared.path, name), memory } : { shards };
    running.set(
      name,
      await spawnTidegate({ args: ['run', kind, ...commandLine({ nats: nats.url, id: name, ...own })] }),
    );
  };
  const end = async (name: string, signal: NodeJS.Signals): Promise<Exit> => {
    const process = find(name);
    process.kill(signal);
    const exit = await process.waitExit();
    running.delete(name);
    return exit;
  };
  const deployment: Deployment = {
    url: nats.url,
    nats,
    dataDir: data.path,
    memoryDir: shared.path,
    services: () => [...running].map(([name, { pid }]) => ({ name, pid })),
    start,
    signal: (name, signal) => find(name).kill(signal),
    end,
    errorOutput: (name) => find(name).errorOutput(),
    async stop() {
      // SIGKILL also ends a service that a test left paused.
      await Promise.all([...running.keys()].map((name) => end(name, 'SIGKILL')));
      await nats.stop();
      await Promise.all([data.remove(), shared.remove()]);
    },
  };
  try {
    const names = (kind: string, count: number) => Array.from({ length: count }, (_, at) => `${kind}-${at + 1}`);
    await Promise.all([...names('meta', options.meta), ...names('raw', options.raw)].map(start));
  } catch (error) {
    await deployment.stop();
    throw error;
  }
  return deployment;
}
