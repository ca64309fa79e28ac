import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Logger, settledWithin } from '@tidegate/bus';
import { UnavailableError } from '@tidegate/protocol';
import { type DeathWatch, watchOver } from './death-watch.js';
import { logNatsLine, parseNatsLog } from './nats-log.js';

const START_MS = 15_000;
/** Milliseconds that the server has to write out what it holds before it is killed. */
const STOP_MS = 2000;
const LISTENING = /Listening for client connections on \S+:(\d+)/;
const LINES_KEPT = 5;

/** A nats-server that accepts connections. */
export interface NatsProcess {
  readonly pid: number;
  /** Port that it listens on. */
  readonly port: number;
  /** Settles with the manner of its end. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
  /** SIGKILL, at once. */
  kill(): void;
}

/**
 * Starts a nats-server with a configuration file and returns once it is ready. It ends with this process, whatever ends
 * that; a Ctrl-C on the terminal does not reach it, so that the services can leave first.
 *
 * @throws UnavailableError with what the server said
 */
export async function startNatsProcess(binary: string, configFile: string, logger: Logger): Promise<NatsProcess> {
  const child = spawn(binary, ['-c', configFile], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let watch: DeathWatch | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // Not `exit`: what the server said last is still on its way then.
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // Settles in every case, since nothing else tells when the watch is to end.
  const unwatched = ended.then(() => watch?.stop());
  if (child.pid !== undefined) watch = watchOver(child.pid);

  const said: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const port = await new Promise<number>((resolve, reject) => {
    const fail = (what: string): void => {
      reject(new UnavailableError(`${binary} ${what}${said.length > 0 ? `: ${said.join('; ')}` : ''}`, 0));
    };
    timer = setTimeout(() => fail(`was not ready in ${START_MS} ms`), START_MS);
    ended.then((how) => fail(`ended at its start (${how})`)).catch(reject);
    let listening = 0;
    createInterface({ input: child.stderr }).on('line', (line) => {
      const read = parseNatsLog(line);
      logNatsLine(logger, read);
      if (read.level === 'error') {
        said.push(read.text);
        if (said.length > LINES_KEPT) said.shift();
      }
      listening = Number(LISTENING.exec(read.text)?.[1] ?? listening);
      if (listening > 0 && read.text.startsWith('Server is ready')) resolve(listening);
    });
  })
    .catch(async (error: unknown) => {
      child.kill('SIGKILL');
      await unwatched;
      throw error;
    })
    .finally(() => clearTimeout(timer));

  return {
    pid: child.pid ?? 0,
    port,
    ended,
    async stop() {
      if (hasEnded(child)) return;
      child.kill('SIGTERM');
      if (!(await settledWithin(ended, STOP_MS))) {
        logger.warn({ pid: child.pid, waitedMs: STOP_MS }, 'nats-server did not end when it was told to: killing it');
        child.kill('SIGKILL');
      }
      await unwatched;
    },
    kill() {
      child.kill('SIGKILL');
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
