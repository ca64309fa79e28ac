import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './temporary-directory.js';
import { until } from './until.js';

/** How to start a server. */
export interface NatsServerOptions {
  /** `newest`: the one that `natsServerBinary()` finds; otherwise the path of a binary. */
  readonly version?: 'newest' | (string & {});
  /** Default: a free one. */
  readonly port?: number;
  /** Bytes; default: the server's own. */
  readonly maxPayload?: number;
  /** More lines for the configuration file. */
  readonly config?: string;
}

/** A nats-server with JetStream in a temporary folder. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Of the running process; another one after `restart`. */
  readonly pid: number;
  readonly storeDir: string;
  /** Sends a signal; for one that ends the process, waits for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and store, ending it with SIGKILL first where it runs. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Path of a nats-server: `TIDEGATE_NATS_SERVER`, then `.tools/bin/nats-server` of the repository, then PATH.
 *
 * @throws Error listing the places where it looked
 */
export function natsServerBinary(): string {
  const named = process.env['TIDEGATE_NATS_SERVER'];
  const candidates = [
    ...(named ? [named] : []),
    join(REPOSITORY, '.tools/bin/nats-server'),
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'nats-server')),
  ];
  const found = candidates.find(isExecutable);
  if (!found) throw new Error(`no nats-server in ${candidates.join(', ')}: set TIDEGATE_NATS_SERVER`);
  return found;
}

function answersInfo(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('data', (chunk) => settle(chunk.toString('latin1').startsWith('INFO')));
    socket.once('error', () => settle(false));
  });
}

function exited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (exited(child)) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await gone;
}

/**
 * Starts a nats-server with JetStream and returns once it accepts connections.
 *
 * @throws Error with the server's log where it does not come up in 10 s
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const { version = 'newest', maxPayload, config = '' } = options;
  const binary = version === 'newest' ? natsServerBinary() : version;
  const folder = await temporaryDirectory('tidegate-nats-');
  const configFile = join(folder.path, 'nats.conf');
  const storeDir = join(folder.path, 'store');

  const launch = async (port: number): Promise<{ child: ChildProcess; port: number }> => {
    const lines = [
      `listen: "127.0.0.1:${port}"`,
      `jetstream { store_dir: "${storeDir}" }`,
      `ports_file_dir: "${folder.path}"`,
      ...(maxPayload === undefined ? [] : [`max_payload: ${maxPayload}`]),
      config,
    ];
    await writeFile(configFile, lines.join('\n'));
    const child = spawn(binary, ['-c', configFile], { stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(child);
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-16_384);
    });
    child.once('exit', () => running.delete(child));
    child.once('error', (error) => {
      log += error.message;
    });
    try {
      const url = await until(
        async () => {
          if (exited(child)) return '';
          const ports = await readFile(join(folder.path, `nats-server_${child.pid}.ports`), 'utf8').catch(() => '');
          return ports.endsWith('}') && String(JSON.parse(ports).nats?.[0]);
        },
        { what: `${binary} to listen` },
      );
      if (url === '') throw new Error(`${binary} ended with ${child.exitCode ?? child.signalCode}`);
      const bound = Number(new URL(url).port);
      await until(() => answersInfo(bound), { what: `${binary} to answer on port ${bound}` });
      return { child, port: bound };
    } catch (cause) {
      await end(child, 'SIGKILL');
      throw new Error(`nats-server did not start; its log:\n${log}`, { cause });
    }
  };

  let current = await launch(options.port ?? -1).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  const { port } = current;

  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    storeDir,
    get pid() {
      return current.child.pid ?? 0;
    },
    async kill(signal) {
      if (signal === 'SIGSTOP' || signal === 'SIGCONT' || signal === 'SIGHUP') current.child.kill(signal);
      else await end(current.child, signal);
    },
    async restart() {
      await end(current.child, 'SIGKILL');
      current = await launch(port);
    },
    async stop() {
      // SIGKILL also ends a server that a test left paused.
      await end(current.child, 'SIGKILL');
      await folder.remove();
    },
  };
}
