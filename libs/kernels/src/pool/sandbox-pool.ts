import { UnavailableError } from '@tidegate/protocol';
import type { Failure } from '../piece-result.js';
import { surplusWorkers } from './queue-delay.js';
import type { SandboxRequest } from './sandbox-worker.js';
import { TaskQueue } from './task-queue.js';
import { packData } from './transfer.js';
import { WorkerThread } from './worker-thread.js';

const SCRIPT = new URL('./sandbox-worker.js', import.meta.url);
/** Workers that stand by: starting one takes longer than most kernels do. */
const SPARES = 1;
/** What reading the cells and compiling the module may take before a kernel begins. */
const SETUP_MS = 30_000;
/** JavaScript heap of a worker: a kernel's memory is not in it. */
const HEAP_MIB = 128;
const RETRY_MS = 1000;

/** A kernel to be called, and for how long at most, in milliseconds. */
export interface SandboxCall {
  readonly request: SandboxRequest;
  readonly ms: number;
}

/**
 * Workers for the kernels of users, each of which runs one at a time and is ended when that takes too long. None is
 * started before the first kernel comes; from then on one more than is needed stands by.
 */
export class SandboxPool {
  readonly #maxWorkers: number;
  readonly #queue: TaskQueue<SandboxCall & { readonly signal: AbortSignal | undefined }>;
  readonly #now: () => number;
  readonly #threads = new Set<WorkerThread>();
  /** The one used last at the end. */
  readonly #idle: WorkerThread[] = [];
  #terminated = 0;
  #isStopped = false;

  constructor({ maxWorkers, maxQueued, now }: { maxWorkers: number; maxQueued: number; now: () => number }) {
    this.#maxWorkers = maxWorkers;
    this.#now = now;
    this.#queue = new TaskQueue({ limit: maxQueued, now });
  }

  /** Workers there are, idle ones included. */
  get workers(): number {
    return this.#threads.size;
  }

  /** Workers that were ended because of what they ran. */
  get terminated(): number {
    return this.#terminated;
  }

  /**
   * Calls a kernel: its results, or why there are none.
   * @throws BusyError, UnavailableError (the cells cannot be read), the signal's reason
   */
  async call(call: SandboxCall, signal: AbortSignal | undefined): Promise<Float64Array | Failure> {
    signal?.throwIfAborted();
    if (this.#isStopped) throw new UnavailableError('the kernel pool was stopped', RETRY_MS);
    const result = this.#queue.push({ ...call, signal }, signal);
    this.#dispatch();
    return (await result) as Float64Array | Failure;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop();
      if (thread === undefined) break;
      const task = this.#queue.shift();
      if (task === undefined) break;
      this.#run(thread, task.request).then(task.resolve, task.reject);
    }
    this.#fill();
  }

  /** Starts what is missing for the tasks that wait, and the spares. */
  #fill(): void {
    const busy = this.#threads.size - this.#idle.length;
    const wanted = Math.min(this.#maxWorkers, busy + this.#queue.length) + SPARES;
    if (!this.#isStopped && this.#threads.size < wanted) this.#start();
  }

  #start(): void {
    const thread = new WorkerThread(SCRIPT, {
      maxHeapMiB: HEAP_MIB,
      onReady: (ready) => {
        this.#rest(ready);
        this.#dispatch();
      },
      onExit: (ended) => this.#forget(ended),
    });
    this.#threads.add(thread);
  }

  #rest(thread: WorkerThread): void {
    thread.idleSince = this.#now();
    this.#idle.push(thread);
  }

  /** Ends workers that have had nothing to do for long, but for the spares. */
  shrink(): void {
    const idleSince = this.#idle.map((thread) => thread.idleSince);
    const surplus = surplusWorkers(idleSince, { now: this.#now(), workers: this.#threads.size, minWorkers: SPARES });
    for (const thread of this.#idle.splice(0, surplus)) {
      this.#threads.delete(thread);
      void thread.terminate();
    }
  }

  #forget(thread: WorkerThread): void {
    this.#threads.delete(thread);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    if (thread.wasReady) this.#fill();
    else if (this.#threads.size === 0) {
      this.#queue.rejectAll(new UnavailableError(`a worker for kernels does not start: ${thread.problem}`, RETRY_MS));
    }
  }

  async #run(
    thread: WorkerThread,
    { request, ms, signal }: SandboxCall & { readonly signal: AbortSignal | undefined },
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    let overrun: string | undefined;
    const end = (): void => {
      this.#terminated++;
      this.#threads.delete(thread);
      void thread.terminate();
    };
    const limit = (milliseconds: number, reason: string): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        overrun = reason;
        end();
      }, milliseconds);
    };
    limit(SETUP_MS, `the kernel was not ready to run after ${SETUP_MS} ms`);
    signal?.addEventListener('abort', end, { once: true });
    try {
      const started = (): void => limit(ms, `the kernel ran longer than ${ms} ms`);
      const transfer: ArrayBuffer[] = [];
      const data = packData(request.data, transfer);
      const result = await thread.run({ ...request, data }, { transfer, started });
      this.#rest(thread);
      return result;
    } catch (error) {
      if (overrun !== undefined) return { failure: overrun };
      if (this.#threads.has(thread)) this.#rest(thread);
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      // What waits goes on when this call is settled.
      queueMicrotask(() => this.#dispatch());
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#queue.rejectAll(new UnavailableError('the kernel pool was stopped', RETRY_MS));
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }
}
