// The script of a worker that runs built-in checks and transforms.
import { type CheckTask, runCheck } from '../check-task.js';
import { KernelInstance } from '../kernel-instance.js';
import { encodeBuiltIn } from '../piece-result.js';
import { runTransform, type TransformTask } from '../transform-task.js';
import { serveTasks } from './worker-port.js';

/** A task for such a worker. */
export type CheckRequest =
  | { readonly kind: 'check'; readonly task: Omit<CheckTask, 'kernels'> }
  | { readonly kind: 'transform'; readonly task: Omit<TransformTask, 'kernels'> };

const kernels = new KernelInstance();

serveTasks<CheckRequest>((request, files) => {
  const tools = { kernels, files };
  if (request.kind === 'check') {
    const bytes = encodeBuiltIn(request.task.spec, runCheck(request.task, tools));
    return { result: bytes, transfer: [bytes.buffer] };
  }
  const result = runTransform(request.task, tools);
  return result === undefined ? { result } : { result, transfer: [result.bytes.buffer] };
});
