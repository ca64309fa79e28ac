import { parentPort } from 'node:worker_threads';
import { type ErrorBody, isTidegateError, UnavailableError } from '@tidegate/protocol';
import { FileCache } from '../file-cache.js';
import type { WorkerMessage } from './worker-thread.js';

/** Open files are let go when no task came for so long. */
const PRUNE_MS = 2000;

/** What a task of a worker yields: the reply, and the buffers that go with it. */
export interface TaskReply {
  readonly result: unknown;
  readonly transfer?: ArrayBuffer[];
}

/** The worker's end: answers each request by `run`, and keeps the files that it reads open for a while. */
export function serveTasks<Request>(run: (request: Request, files: FileCache) => TaskReply): void {
  const port = parentPort;
  if (port === null) throw new Error('expected to run in a worker thread');
  const files = new FileCache({ now: () => performance.now(), idleMs: PRUNE_MS });
  const timer = setTimeout(() => files.prune(true), PRUNE_MS);
  const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  port.on('message', (request: Request) => {
    try {
      const { result, transfer } = run(request, files);
      send({ kind: 'result', result }, transfer);
    } catch (error) {
      send({ kind: 'error', error: errorBody(error) });
    }
    files.prune();
    timer.refresh();
  });
  send({ kind: 'ready' });
}

/** An error as it is told across threads. */
export function errorBody(error: unknown): ErrorBody {
  const known = isTidegateError(error) ? error : new UnavailableError(`kernel worker: ${String(error)}`, PRUNE_MS);
  return known.toBody();
}

/** Tells that a user's code begins to run, from inside a task. */
export function tellStarted(): void {
  parentPort?.postMessage({ kind: 'started' } satisfies WorkerMessage);
}
