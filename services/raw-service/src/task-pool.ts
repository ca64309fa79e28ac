import type { Logger } from '@tidegate/bus';
import type { CheckTask, TransformedPiece, TransformTask } from '@tidegate/kernels';
import { UnavailableError } from '@tidegate/protocol';

/** Runs kernels: as much of the library's pool as is used here. */
export interface KernelRunner {
  check(task: CheckTask, options: { signal?: AbortSignal }): Promise<Uint8Array>;
  transform(task: TransformTask, options: { signal?: AbortSignal }): Promise<TransformedPiece | undefined>;
  stop(): Promise<void>;
}

const RETRY_MS = 1000;

/** A pool of workers beside the data. It is opened for the first task: a service that only stages has no workers. */
export class TaskPool implements KernelRunner {
  readonly #open: () => Promise<KernelRunner>;
  #pool: Promise<KernelRunner> | undefined;
  #stopped = false;

  /** @param open default: the kernels library's pool, of one to as many workers as there are cores */
  constructor(logger: Logger, open: () => Promise<KernelRunner> = () => openPool(logger)) {
    this.#open = open;
  }

  async check(task: CheckTask, options: { signal?: AbortSignal }): Promise<Uint8Array> {
    return (await this.#opened()).check(task, options);
  }

  async transform(task: TransformTask, options: { signal?: AbortSignal }): Promise<TransformedPiece | undefined> {
    return (await this.#opened()).transform(task, options);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    // One that could not be opened has told so to whoever asked for it.
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.stop();
  }

  #opened(): Promise<KernelRunner> {
    if (this.#stopped) return Promise.reject(new UnavailableError('the raw-service is stopping', RETRY_MS));
    this.#pool ??= this.#open().catch((cause: Error) => {
      this.#pool = undefined;
      throw new UnavailableError(`no workers for checks: ${cause.message}`, RETRY_MS, { cause });
    });
    return this.#pool;
  }
}

async function openPool(logger: Logger): Promise<KernelRunner> {
  const { KernelPool } = await import('@tidegate/kernels/pool');
  return KernelPool.open({ minWorkers: 1, logger });
}
