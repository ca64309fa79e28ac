import { BusyError } from '@tidegate/protocol';

const RETRY_MS = 100;

/** A task that waits for a worker. */
export interface QueuedTask<Request> {
  readonly request: Request;
  readonly queuedAt: number;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** First in, first out, bounded; a task leaves when its signal is aborted. */
export class TaskQueue<Request> {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #tasks = new Set<QueuedTask<Request>>();

  constructor({ limit, now }: { limit: number; now: () => number }) {
    this.#limit = limit;
    this.#now = now;
  }

  get length(): number {
    return this.#tasks.size;
  }

  /** How long the first one has waited, in milliseconds. */
  get oldestMs(): number {
    const [first] = this.#tasks;
    return first === undefined ? 0 : this.#now() - first.queuedAt;
  }

  /**
   * Puts a task at the end; the promise is settled by whoever takes it out, or by the signal.
   * @throws BusyError when the queue is full
   */
  push(request: Request, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#tasks.size >= this.#limit) {
      return Promise.reject(new BusyError(`${this.#limit} kernel tasks are waiting already`, RETRY_MS));
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#tasks.delete(task);
        reject(signal?.reason);
      };
      const task: QueuedTask<Request> = {
        request,
        queuedAt: this.#now(),
        resolve(result) {
          signal?.removeEventListener('abort', abort);
          resolve(result);
        },
        reject(error) {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      this.#tasks.add(task);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The first one, which stays. */
  get first(): QueuedTask<Request> | undefined {
    const [first] = this.#tasks;
    return first;
  }

  /** Puts a task that was taken out at the end again. Its signal does not take it out any more. */
  putBack(task: QueuedTask<Request>): void {
    this.#tasks.add(task);
  }

  /** Takes the first one out. Its signal still rejects the promise, should it be aborted. */
  shift(): QueuedTask<Request> | undefined {
    const [first] = this.#tasks;
    if (first !== undefined) this.#tasks.delete(first);
    return first;
  }

  rejectAll(error: unknown): void {
    for (const task of this.#tasks) task.reject(error);
    this.#tasks.clear();
  }
}
