import type { PieceSource } from '@tidegate/client/region';
import { type RawId, TimeoutError, UnavailableError } from '@tidegate/protocol';
import type { Catalog } from './catalog.js';
import { Gate } from './gate.js';
import type { PartitionStore } from './partition-store.js';
import type { PutFlow } from './put-flow.js';
import type { KernelRunner } from './task-pool.js';
import type { UserKernels } from './user-kernels.js';

/** What tasks on pieces work with. */
export interface TaskContext {
  readonly raw: RawId;
  readonly store: Pick<PartitionStore, 'has' | 'hold' | 'read'>;
  readonly puts: Pick<PutFlow, 'put' | 'settled'>;
  readonly catalog: Pick<Catalog, 'variable'>;
  readonly runner: KernelRunner;
  readonly kernels: Pick<UserKernels, 'find'>;
  /** Pieces of other raw-services. */
  readonly remote: PieceSource;
  /** Largest answer of `remote`, in bytes. */
  readonly chunkBytes: number;
  readonly gates: TaskGates;
  /** Fires when the service stops. */
  readonly stopped: AbortSignal;
}

/** Pieces worked on at a time, over all requests. */
export interface TaskGates {
  /** Those that workers read by themselves. */
  readonly near: Gate;
  /** Those whose bytes pass through the memory of this process. */
  readonly far: Gate;
}

const NEAR = 64;
const FAR = 8;
const RETRY_MS = 500;

export function taskGates(): TaskGates {
  return { near: new Gate(NEAR), far: new Gate(FAR) };
}

/**
 * Does some work until it is done, its deadline passes, or the service stops. The signal also fires when the work
 * fails, so that its other parts end.
 *
 * @throws what the work throws; TimeoutError, UnavailableError
 */
export async function withinDeadline<T>(
  { stopped }: Pick<TaskContext, 'stopped'>,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const late = () => controller.abort(new TimeoutError(`not done after ${Math.round(deadlineMs)} ms`));
  const stop = () => controller.abort(new UnavailableError('the raw-service is stopping', RETRY_MS));
  const timer = setTimeout(late, deadlineMs);
  stopped.addEventListener('abort', stop, { once: true });
  if (stopped.aborted) stop();
  try {
    signal.throwIfAborted();
    // What the work waits for need not heed the signal.
    const ended = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return await Promise.race([work(signal), ended]);
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener('abort', stop);
  }
}
