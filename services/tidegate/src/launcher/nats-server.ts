import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Logger, monotonicNow, sleep } from '@tidegate/bus';
import { ConflictError } from '@tidegate/protocol';
import { natsConfig } from './nats-config.js';
import { type NatsProcess, startNatsProcess } from './nats-process.js';
import { processArguments, processStart } from './process-start.js';

export interface LocalNatsOptions {
  /** Path of the program. */
  readonly binary: string;
  /** Its configuration, its pid and JetStream's files. */
  readonly folder: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxFileStoreBytes: number;
  readonly logger: Logger;
  /** A line for people, when it had to be started again. */
  readonly onNotice: (line: string) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** After so long without a failure the pauses begin again from the first. */
const STEADY_MS = 30_000;
/** Milliseconds that a server of an earlier start has to end. */
const LEFTOVER_MS = 5000;
const POLL_MS = 25;

/** The nats-server beside the services: started again, on its port, whenever it ends on its own. */
export class LocalNats {
  readonly port: number;
  readonly #options: LocalNatsOptions;
  readonly #configFile: string;
  readonly #stopped = new AbortController();
  #process: NatsProcess;
  #keeping: Promise<void> = Promise.resolve();

  /**
   * Starts it, after the end of one that an earlier start may have left behind.
   *
   * @throws ConflictError where the port is taken; UnavailableError where it does not come up
   */
  static async start(options: LocalNatsOptions): Promise<LocalNats> {
    const { folder, port, binary, logger } = options;
    const configFile = join(folder, 'nats.conf');
    await mkdir(folder, { recursive: true });
    await endLeftover(join(folder, PID_FILE), configFile, logger);
    if (port !== 0) await expectFree(port);
    await writeConfig(options, configFile, port === 0 ? -1 : port);
    const process = await startNatsProcess(binary, configFile, logger);
    if (port === 0) await writeConfig(options, configFile, process.port);
    return new LocalNats(options, configFile, process);
  }

  private constructor(options: LocalNatsOptions, configFile: string, process: NatsProcess) {
    this.#options = options;
    this.#configFile = configFile;
    this.#process = process;
    this.port = process.port;
    this.#keeping = this.#keep();
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Of the process that runs now. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Ends it: asked to, then killed. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#process.stop();
    await this.#keeping;
  }

  /** Kills it, for a process that must end now. */
  kill(): void {
    this.#stopped.abort();
    this.#process.kill();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopped;
    const { logger, onNotice } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    let startedAt = monotonicNow();
    while (!signal.aborted) {
      const how = await this.#process.ended;
      if (signal.aborted) return;
      if (monotonicNow() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      logger.error({ how, pauseMs }, 'nats-server ended: starting it again');
      onNotice(`nats-server ended (${how}): starting it again`);
      for (let running = false; !running; ) {
        await sleep(pauseMs, signal).catch(() => {});
        if (signal.aborted) return;
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
        startedAt = monotonicNow();
        running = await this.#restart();
      }
    }
  }

  async #restart(): Promise<boolean> {
    const { binary, logger, onNotice } = this.#options;
    try {
      const process = await startNatsProcess(binary, this.#configFile, logger);
      this.#process = process;
      // It was told to stop while it was starting.
      if (this.#stopped.signal.aborted) await process.stop();
      onNotice(`nats-server is back on port ${process.port}`);
      return true;
    } catch (error) {
      logger.error({ err: error }, 'nats-server does not start');
      onNotice(`nats-server does not start: ${error instanceof Error ? error.message : error}`);
      return false;
    }
  }
}

const PID_FILE = 'nats-server.pid';

function writeConfig({ folder, maxFileStoreBytes }: LocalNatsOptions, file: string, port: number): Promise<void> {
  const config = natsConfig({ port, storeDir: folder, pidFile: join(folder, PID_FILE), maxFileStoreBytes });
  return writeFile(file, config);
}

/** @throws ConflictError where something listens on the port */
function expectFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else {
        reject(
          new ConflictError(
            `port ${port} is taken: choose another with --nats-port (0 takes a free one), or use the NATS server there with --nats nats://127.0.0.1:${port}`,
          ),
        );
      }
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

/** A server whose launcher was killed may still be writing out: two on one store would ruin it. */
async function endLeftover(pidFile: string, configFile: string, logger: Logger): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  const isOurs = (): boolean =>
    pid > 0 && processArguments(pid).includes(configFile) && processStart(pid) !== undefined;
  if (!isOurs()) return;
  logger.warn({ pid }, 'ending the nats-server of an earlier start');
  process.kill(pid, 'SIGTERM');
  for (const deadline = monotonicNow() + LEFTOVER_MS; isOurs() && monotonicNow() < deadline; ) await sleep(POLL_MS);
  if (!isOurs()) return;
  process.kill(pid, 'SIGKILL');
  while (isOurs()) await sleep(POLL_MS);
}
