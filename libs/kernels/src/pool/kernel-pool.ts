import { availableParallelism } from 'node:os';
import { volume } from '@tidegate/geometry';
import { BadRequestError, errorFromBody, UnavailableError } from '@tidegate/protocol';
import type { CheckTask } from '../check-task.js';
import { encodeOutcomes, type Failure, KERNEL_RESULTS, type KernelOutcome } from '../piece-result.js';
import type { TransformedPiece, TransformTask } from '../transform-task.js';
import type { CheckOutcome, CheckRequest } from './check-worker.js';
import { NO_DELAY, observeDelay, standingDelay, surplusWorkers } from './queue-delay.js';
import { SandboxPool } from './sandbox-pool.js';
import { type QueuedTask, TaskQueue } from './task-queue.js';
import { packData } from './transfer.js';
import { WorkerThread } from './worker-thread.js';

const SCRIPT = new URL('./check-worker.js', import.meta.url);
const MAX_QUEUED = 1024;
/** How often the delay of a queue that stands still is looked at, and workers that may go. */
const TICK_MS = 25;
const SHRINK_MS = 1000;
/** When a worker that does not start is tried again. */
const RESTART_MS = 1000;
/** Tasks that go to a worker in one message: not more than so many, nor further than until they read so many bytes. */
const BATCH_TASKS = 16;
const BATCH_BYTES = 256 * 1024;
const DEFAULT_LIMITS = { ms: 50, pages: 256 };

/** Where the pool tells what happens to its workers. */
export interface KernelLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface KernelPoolOptions {
  /** Default 1. */
  readonly minWorkers?: number;
  /** Default: as many as there are cores, 2 at least. */
  readonly maxWorkers?: number;
  /** Most tasks that wait; default 1024. */
  readonly maxQueued?: number;
  readonly logger?: KernelLogger;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
  /** The workers' script, where it is not beside this module (in a bundle, say). */
  readonly script?: URL;
}

export interface KernelPoolStats {
  readonly workers: number;
  readonly busy: number;
  readonly queued: number;
  /** The least delay of the last window: what tasks wait when bursts are left out. */
  readonly queueDelayMs: number;
  /** Tasks that were begun. */
  readonly tasks: number;
  /** Workers that crashed or were ended because of a user's kernel. */
  readonly terminated: number;
}

interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs checks and transforms in worker threads, which read the cells themselves. The number of workers follows the
 * queue delay. Kernels of users run in workers apart, so that one that has to be ended takes nothing else with it.
 */
export class KernelPool {
  readonly #minWorkers: number;
  readonly #maxWorkers: number;
  readonly #logger: KernelLogger | undefined;
  readonly #now: () => number;
  readonly #script: URL;
  readonly #queue: TaskQueue<CheckRequest>;
  readonly #sandboxes: SandboxPool;
  /** Those whose worker ended when they ran together with others. */
  readonly #alone = new WeakSet<QueuedTask<CheckRequest>>();
  readonly #threads = new Set<WorkerThread>();
  /** The one used last at the end: it is taken first, so that those that are not needed stay idle. */
  readonly #idle: WorkerThread[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #ticker: NodeJS.Timeout | undefined;
  #delay = NO_DELAY;
  #tasks = 0;
  #terminated = 0;
  #isStopped = false;
  #opening: (() => void) | undefined;

  private constructor(options: KernelPoolOptions) {
    this.#minWorkers = Math.max(1, options.minWorkers ?? 1);
    this.#maxWorkers = Math.max(this.#minWorkers, options.maxWorkers ?? Math.max(2, availableParallelism()));
    this.#logger = options.logger;
    this.#now = options.now ?? (() => performance.now());
    this.#script = options.script ?? SCRIPT;
    const maxQueued = options.maxQueued ?? MAX_QUEUED;
    this.#queue = new TaskQueue({ limit: maxQueued, now: this.#now });
    this.#sandboxes = new SandboxPool({ maxWorkers: this.#maxWorkers, maxQueued, now: this.#now });
    const shrinker = setInterval(() => this.#shrink(), SHRINK_MS);
    shrinker.unref();
    this.#timers.add(shrinker);
  }

  /**
   * Starts the least number of workers and waits until they take tasks.
   * @throws UnavailableError if they do not start
   */
  static async open(options: KernelPoolOptions = {}): Promise<KernelPool> {
    const pool = new KernelPool(options);
    const isOpen = new Promise<void>((resolve) => {
      pool.#opening = resolve;
    });
    for (let i = 0; i < pool.#minWorkers; i++) pool.#start();
    await isOpen;
    pool.#opening = undefined;
    if (pool.#idle.length < pool.#minWorkers) {
      await pool.stop();
      throw new UnavailableError('the workers for kernels do not start', RESTART_MS);
    }
    return pool;
  }

  /**
   * Computes what a round asks for of a piece: bytes for `CheckRun.accept`.
   * @throws BadRequestError, SizeMismatchError (data that is not what the task says), UnavailableError (it cannot be
   * read, a worker crashed, the pool was stopped), BusyError (too many tasks wait), the signal's reason
   */
  async check(task: CheckTask, { signal }: TaskOptions = {}): Promise<Uint8Array> {
    const { kernels, ...builtIn } = task;
    const { spec, piece, data } = task;
    if (spec.wasm.length === 0) return asBytes(await this.#submit({ kind: 'check', task: builtIn }, signal));
    const giveUp = new AbortController();
    const either = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
    try {
      const [first, ...outcomes] = await Promise.all([
        this.#submit({ kind: 'check', task: builtIn }, either),
        ...spec.wasm.map(async ({ digest, export: name, ms, pages }): Promise<KernelOutcome> => {
          const wasm = kernels?.get(digest);
          if (wasm === undefined) return { failure: `the kernel ${digest} is not known here` };
          const request = { wasm, digest, name, pages, dtype: spec.dtype, piece, data, capacity: KERNEL_RESULTS };
          return numbersOf(await this.#sandboxes.call({ request, ms }, either));
        }),
      ]);
      const [head, tail] = [asBytes(first), encodeOutcomes(outcomes)];
      const bytes = new Uint8Array(head.length + tail.length);
      bytes.set(head);
      bytes.set(tail, head.length);
      return bytes;
    } finally {
      giveUp.abort();
    }
  }

  /**
   * Transforms a piece; undefined where nothing of it is left.
   * @throws as `check`; BadRequestError as well where a user's kernel gives no result for each cell
   */
  async transform(task: TransformTask, { signal }: TaskOptions = {}): Promise<TransformedPiece | undefined> {
    const { kernels, ...builtIn } = task;
    const { transform, dtype, piece, data } = task;
    if (transform.wasm === undefined) {
      const result = (await this.#submit({ kind: 'transform', task: builtIn }, signal)) as TransformedPiece | undefined;
      return result && { ...result, bytes: asBytes(result.bytes) };
    }
    const { digest, export: name } = transform.wasm;
    const { ms, pages } = transform.limits ?? DEFAULT_LIMITS;
    const wasm = kernels?.get(digest);
    if (wasm === undefined) throw new BadRequestError('transform', `the kernel ${digest} is not known here`);
    const cells = volume(piece);
    const request = { wasm, digest, name, pages, dtype, piece, data, capacity: cells };
    const result = await this.#sandboxes.call({ request, ms }, signal);
    if ('failure' in result) throw new BadRequestError('transform', result.failure);
    if (result.length !== cells) {
      throw new BadRequestError('transform', `expected a result for each of ${cells} cells, got ${result.length}`);
    }
    return { box: piece, dtype: 'float64', bytes: new Uint8Array(result.buffer as ArrayBuffer) };
  }

  stats(): KernelPoolStats {
    return {
      workers: this.#threads.size,
      busy: this.#threads.size - this.#idle.length,
      queued: this.#queue.length,
      queueDelayMs: standingDelay(this.#delay, this.#now()),
      tasks: this.#tasks,
      terminated: this.#terminated + this.#sandboxes.terminated,
    };
  }

  /** Ends all workers; tasks that wait or run are rejected. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    clearInterval(this.#ticker);
    this.#queue.rejectAll(new UnavailableError('the kernel pool was stopped', RESTART_MS));
    await Promise.all([this.#sandboxes.stop(), ...[...this.#threads].map((thread) => thread.terminate())]);
  }

  async #submit(request: CheckRequest, signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#isStopped) throw new UnavailableError('the kernel pool was stopped', RESTART_MS);
    const result = this.#queue.push(request, signal);
    this.#dispatch();
    return result;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop();
      if (thread === undefined) break;
      this.#observe(this.#queue.oldestMs);
      const tasks = this.#nextTasks();
      const settle = (then: () => void): void => {
        if (this.#threads.has(thread)) {
          thread.idleSince = this.#now();
          this.#idle.push(thread);
        }
        this.#dispatch();
        then();
      };
      const transfer: ArrayBuffer[] = [];
      const requests = tasks.map((task) => packed(task.request, transfer));
      thread.run(requests, { transfer }).then(
        (outcomes) => settle(() => settleAll(tasks, outcomes as readonly CheckOutcome[])),
        (error: unknown) => {
          if (tasks.length > 1) this.#retryAlone(tasks);
          settle(() => {
            if (tasks.length === 1) tasks[0]?.reject(error);
          });
        },
      );
    }
    this.#watchQueue();
  }

  /** What a worker does next: one task, or several small ones, for which waking it would cost more than they do. */
  #nextTasks(): QueuedTask<CheckRequest>[] {
    const tasks: QueuedTask<CheckRequest>[] = [];
    let bytes = 0;
    for (let task = this.#queue.first; task !== undefined; task = this.#queue.first) {
      const isAlone = this.#alone.has(task);
      if (isAlone && tasks.length > 0) break;
      this.#queue.shift();
      this.#tasks++;
      tasks.push(task);
      bytes += dataBytes(task.request);
      if (isAlone || bytes >= BATCH_BYTES || tasks.length >= BATCH_TASKS) break;
    }
    return tasks;
  }

  /** One of the tasks ended their worker, and must not take the others with it: each is begun again, by itself. */
  #retryAlone(tasks: readonly QueuedTask<CheckRequest>[]): void {
    for (const task of tasks) {
      this.#alone.add(task);
      if (this.#isStopped) task.reject(new UnavailableError('the kernel pool was stopped', RESTART_MS));
      else this.#queue.putBack(task);
    }
  }

  /** While tasks wait and none begins, the age of the first one is the delay. */
  #watchQueue(): void {
    if (this.#queue.length === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    } else if (this.#ticker === undefined && !this.#isStopped) {
      this.#ticker = setInterval(() => this.#observe(this.#queue.oldestMs), TICK_MS);
      this.#ticker.unref();
    }
  }

  #observe(delayMs: number): void {
    const { state, grow } = observeDelay(this.#delay, { now: this.#now(), delayMs });
    this.#delay = state;
    if (!grow || this.#threads.size >= this.#maxWorkers || this.#isStopped) return;
    this.#logger?.info({ workers: this.#threads.size + 1, queueDelayMs: state.standing }, 'kernel pool grows');
    this.#start();
  }

  #shrink(): void {
    this.#sandboxes.shrink();
    const workers = this.#threads.size;
    const idleSince = this.#idle.map((thread) => thread.idleSince);
    const surplus = surplusWorkers(idleSince, { now: this.#now(), workers, minWorkers: this.#minWorkers });
    for (const thread of this.#idle.splice(0, surplus)) {
      this.#threads.delete(thread);
      void thread.terminate();
    }
    if (surplus > 0) this.#logger?.info({ workers: workers - surplus }, 'kernel pool shrinks');
  }

  #start(): void {
    const thread = new WorkerThread(this.#script, {
      onReady: (ready) => {
        ready.idleSince = this.#now();
        this.#idle.push(ready);
        if (this.#idle.length === this.#minWorkers) this.#opening?.();
        this.#dispatch();
      },
      onExit: (ended) => this.#replace(ended),
    });
    this.#threads.add(thread);
  }

  /** A worker that ended by itself is missed. */
  #replace(thread: WorkerThread): void {
    if (this.#isStopped || !this.#threads.delete(thread)) return;
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#terminated++;
    this.#logger?.warn({ problem: thread.problem }, 'a kernel worker ended');
    if (thread.wasReady) {
      if (this.#threads.size < this.#minWorkers) this.#start();
      return;
    }
    this.#opening?.();
    if (this.#threads.size > 0) return;
    this.#queue.rejectAll(new UnavailableError(`kernel workers do not start: ${thread.problem}`, RESTART_MS));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#threads.size < this.#minWorkers) this.#start();
    }, RESTART_MS);
    timer.unref();
    this.#timers.add(timer);
  }
}

function settleAll(tasks: readonly QueuedTask<CheckRequest>[], outcomes: readonly CheckOutcome[]): void {
  for (const [at, task] of tasks.entries()) {
    const outcome = outcomes[at];
    if (outcome !== undefined && 'result' in outcome) task.resolve(outcome.result);
    else if (outcome !== undefined) task.reject(errorFromBody(outcome.error));
    else task.reject(new UnavailableError('a kernel worker did not answer a task', RESTART_MS));
  }
}

/** Bytes that a task reads. */
function dataBytes(request: CheckRequest): number {
  const { data } = request.task;
  const previous = request.kind === 'check' ? (request.task.previous ?? []) : [];
  return [data, ...previous].reduce((sum, part) => sum + ('file' in part ? part.file.bytes : part.bytes.length), 0);
}

/** A request whose bytes are handed over. */
function packed(request: CheckRequest, transfer: ArrayBuffer[]): CheckRequest {
  const data = packData(request.task.data, transfer);
  if (request.kind === 'transform') return { ...request, task: { ...request.task, data } };
  const previous = request.task.previous?.map((before) => packData(before, transfer));
  return { ...request, task: { ...request.task, data, ...(previous && { previous }) } };
}

function asBytes(result: unknown): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = result as Uint8Array<ArrayBuffer>;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function numbersOf(result: Float64Array | Failure): KernelOutcome {
  if ('failure' in result) return result;
  const numbers = Array.from(result);
  return numbers.some(Number.isNaN) ? { failure: 'a result of the kernel is not a number' } : numbers;
}
