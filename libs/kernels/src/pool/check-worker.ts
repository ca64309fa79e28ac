// The script of a worker that runs built-in checks and transforms.
import type { ErrorBody } from '@tidegate/protocol';
import { type CheckTask, runCheck } from '../check-task.js';
import { KernelInstance } from '../kernel-instance.js';
import { encodeBuiltIn } from '../piece-result.js';
import { runTransform, type TransformTask } from '../transform-task.js';
import { errorBody, serveTasks } from './worker-port.js';

/** A task for such a worker. */
export type CheckRequest =
  | { readonly kind: 'check'; readonly task: Omit<CheckTask, 'kernels'> }
  | { readonly kind: 'transform'; readonly task: Omit<TransformTask, 'kernels'> };

/** How one of the tasks that came together ended. */
export type CheckOutcome = { readonly result: unknown } | { readonly error: ErrorBody };

const kernels = new KernelInstance();

/** Runs tasks that came in one message; their outcomes go back in one, too. */
serveTasks<readonly CheckRequest[]>((requests, files) => {
  const tools = { kernels, files };
  const transfer: ArrayBuffer[] = [];
  const result = requests.map((request): CheckOutcome => {
    try {
      if (request.kind === 'check') {
        const bytes = encodeBuiltIn(request.task.spec, runCheck(request.task, tools));
        transfer.push(bytes.buffer);
        return { result: bytes };
      }
      const made = runTransform(request.task, tools);
      if (made !== undefined) transfer.push(made.bytes.buffer);
      return { result: made };
    } catch (error) {
      return { error: errorBody(error) };
    }
  });
  return { result, transfer };
});
