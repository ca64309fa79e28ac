import { Worker } from 'node:worker_threads';
import { type ErrorBody, errorFromBody, UnavailableError } from '@tidegate/protocol';

/** When a task whose worker ended may be tried again. */
const RETRY_MS = 100;

/** What a worker tells: that it is there, that it begins to run a user's code, how a task ended. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'started' }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: ErrorBody };

interface RunningTask {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  started(): void;
}

/** A worker thread that runs one task at a time. It keeps the process alive only while it starts or runs one. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #onExit: (thread: WorkerThread) => void;
  #task: RunningTask | undefined;
  #isReady = false;
  #problem: string | undefined;
  /** Since when it has no task; by the clock of whoever sets it. */
  idleSince = 0;

  /**
   * @param options.onReady called once, when it takes tasks
   * @param options.onExit called once, however it ends
   */
  constructor(
    script: URL,
    options: {
      onReady: (thread: WorkerThread) => void;
      onExit: (thread: WorkerThread) => void;
      maxHeapMiB?: number;
    },
  ) {
    const { maxHeapMiB } = options;
    this.#onExit = options.onExit;
    this.#worker = new Worker(script, {
      // What the process was started with (a loader, an inspector) is not for a worker.
      execArgv: [],
      ...(maxHeapMiB === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB } }),
    });
    this.#worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'ready') {
        this.#isReady = true;
        this.#worker.unref();
        options.onReady(this);
      } else if (message.kind === 'started') {
        this.#task?.started();
      } else if (message.kind === 'result') {
        this.#end()?.resolve(message.result);
      } else {
        this.#end()?.reject(errorFromBody(message.error));
      }
    });
    this.#worker.on('error', (error: { readonly message?: string }) => {
      this.#problem = error.message ?? String(error);
    });
    this.#worker.on('exit', () => {
      this.#end()?.reject(new UnavailableError(`a kernel worker ended: ${this.#problem ?? 'stopped'}`, RETRY_MS));
      this.#onExit(this);
    });
  }

  /** Whether it ever took tasks: one that ends before is not worth starting again at once. */
  get wasReady(): boolean {
    return this.#isReady;
  }

  /** What it ended of, where that was an error. */
  get problem(): string | undefined {
    return this.#problem;
  }

  #end(): RunningTask | undefined {
    const task = this.#task;
    this.#task = undefined;
    if (task !== undefined) this.#worker.unref();
    return task;
  }

  /**
   * Runs a task. `transfer` are buffers that go over instead of being copied.
   * @throws whatever the task does; UnavailableError if the worker ends
   */
  run(
    request: unknown,
    { transfer = [], started = () => {} }: { transfer?: ArrayBuffer[]; started?: () => void } = {},
  ) {
    return new Promise<unknown>((resolve, reject) => {
      this.#task = { resolve, reject, started };
      this.#worker.ref();
      this.#worker.postMessage(request, transfer);
    });
  }

  /** Ends it, whatever it does. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
