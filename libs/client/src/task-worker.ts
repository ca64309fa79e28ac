import { type Bus, settledWithin } from '@tidegate/bus';
import { TimeoutError } from '@tidegate/protocol';
import { type Task, type TasksOptions, tasks } from './task-queue.js';

/**
 * Does one task. Returning acknowledges it, throwing lets it come again. The signal aborts when the task took too long or
 * the worker must end.
 */
export type TaskHandler = (task: Task['body'], signal: AbortSignal) => Promise<void> | void;

/** What became of a delivery. */
export interface TaskOutcome {
  readonly task: Task['body'];
  readonly elapsedMs: number;
  /** What the handler threw, or why the acknowledgement is in doubt; absent where it is done. */
  readonly error?: unknown;
}

export interface WorkOptions extends Omit<TasksOptions, 'holdMs'> {
  /** Milliseconds for one task; default an hour. */
  readonly timeoutMs?: number;
  /** After the signal: milliseconds that running handlers have before their own signals abort; default 10 s. */
  readonly graceMs?: number;
  readonly onOutcome?: (outcome: TaskOutcome) => void;
}

const TIMEOUT_MS = 3_600_000;
const GRACE_MS = 10_000;
/** A handler that heeds its signal ends within this time; another one is left behind. */
const HEED_MS = 5000;

/**
 * Does the tasks of one kind, several at a time, until the signal aborts; returns when those that were under way have
 * ended. What did not end in time is given back.
 *
 * @throws as `tasks`, once what was under way has ended
 */
export async function work(bus: Bus, name: string, handler: TaskHandler, options: WorkOptions = {}): Promise<void> {
  const { concurrency = 1, signal, timeoutMs = TIMEOUT_MS, graceMs = GRACE_MS, onOutcome = () => {} } = options;
  const running = new Set<Promise<void>>();
  const ending = new AbortController();
  let grace: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    grace = setTimeout(() => ending.abort(new Error('the worker is ending')), graceMs);
  };
  if (signal?.aborted) return;
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const task of tasks(bus, name, { concurrency, holdMs: timeoutMs + 2 * HEED_MS, signal })) {
      const run = runTask(task, handler, { timeoutMs, ending: ending.signal }).then(onOutcome);
      const settled = run.finally(() => running.delete(settled));
      running.add(settled);
    }
  } finally {
    await Promise.allSettled(running);
    clearTimeout(grace);
    signal?.removeEventListener('abort', onAbort);
  }
}

async function runTask(
  task: Task,
  handler: TaskHandler,
  { timeoutMs, ending }: { readonly timeoutMs: number; readonly ending: AbortSignal },
): Promise<TaskOutcome> {
  const start = performance.now();
  const outcome = (error?: unknown): TaskOutcome => ({
    task: task.body,
    elapsedMs: performance.now() - start,
    ...(error !== undefined && { error }),
  });
  const stop = new AbortController();
  const onEnding = (): void => stop.abort(ending.reason);
  const timer = setTimeout(
    () => stop.abort(new TimeoutError(`the task was not done within ${timeoutMs} ms`)),
    timeoutMs,
  );
  ending.addEventListener('abort', onEnding, { once: true });
  try {
    const handling = (async () => handler(task.body, stop.signal))();
    await Promise.race([handling, abandoned(handling, stop.signal)]);
  } catch (error) {
    // Given back at once where it is the worker that ends: another one may do it.
    if (ending.aborted) task.retry(0);
    else task.retry();
    return outcome(error ?? new Error('the handler threw nothing'));
  } finally {
    clearTimeout(timer);
    ending.removeEventListener('abort', onEnding);
  }
  try {
    await task.ack();
    return outcome();
  } catch (error) {
    return outcome(error);
  }
}

/** Rejects where the handler has not ended some time after its signal. */
function abandoned(handling: Promise<void>, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => {
      settledWithin(handling, HEED_MS).then(() => reject(signal.reason), reject);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
