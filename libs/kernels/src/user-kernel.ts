import type { KernelInfo } from './inspect-kernel.js';
import type { Failure } from './piece-result.js';

const PAGE = 65_536;

/** One call of a user's kernel on the cells of one piece. */
export interface KernelCall {
  readonly module: WebAssembly.Module;
  readonly info: KernelInfo;
  readonly name: string;
  /** Most pages of memory. */
  readonly pages: number;
  /** Cells along each dimension, and all their bytes. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Most results. */
  readonly capacity: number;
  /** Writes the cells, packed in row-major order. */
  fill(target: Uint8Array): unknown;
  /** Called just before the kernel gets going. */
  started(): void;
}

/** Where things lie in the memory of a call, in bytes. */
interface MemoryPlan {
  readonly data: number;
  readonly shape: number;
  readonly out: number;
  readonly pages: number;
}

/**
 * Behind the pages that the module was linked for: its data and stack are in those. An allocator in the module has to
 * take new pages (memory.grow): one that takes all of the memory that it finds for its own would overwrite the cells.
 */
function planMemory({ info, bytes, shape, capacity }: KernelCall): MemoryPlan {
  const data = info.memory.initial * PAGE;
  const shapeAt = align8(data + bytes);
  const out = align8(shapeAt + shape.length * 4);
  return { data, shape: shapeAt, out, pages: Math.ceil((out + capacity * 8) / PAGE) };
}

function align8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/**
 * Calls a kernel in a memory of its own. What goes wrong inside is a failure of this call; errors of `fill` are thrown.
 * The call may never return: run it where it can be ended from outside.
 */
export function callKernel(call: KernelCall): Float64Array<ArrayBuffer> | Failure {
  const { info, name, shape } = call;
  if (!info.exports.includes(name)) {
    return { failure: `the kernel has no export "${name}" of the right signature, it has ${info.exports.join(', ')}` };
  }
  const plan = planMemory(call);
  const maximum = Math.min(call.pages, info.memory.maximum);
  if (plan.pages > maximum) {
    return {
      failure: `the kernel needs ${plan.pages} pages, of which ${info.memory.initial} are its own; at most ${maximum} are allowed`,
    };
  }
  let memory: WebAssembly.Memory;
  let kernel: (...parameters: number[]) => unknown;
  try {
    memory = new WebAssembly.Memory({ initial: plan.pages, maximum });
    const { exports } = new WebAssembly.Instance(call.module, { env: { memory } });
    kernel = exports[name] as typeof kernel;
  } catch (error) {
    return { failure: `the kernel cannot be set up: ${reasonOf(error)}` };
  }
  call.fill(new Uint8Array(memory.buffer, plan.data, call.bytes));
  new Uint32Array(memory.buffer, plan.shape, shape.length).set(shape);
  call.started();
  let count: unknown;
  try {
    count = kernel(plan.data, shape.length, plan.shape, plan.out, call.capacity);
  } catch (error) {
    return { failure: `the kernel trapped: ${reasonOf(error)}` };
  }
  return readResults(call, { memory, out: plan.out, count });
}

function readResults(
  { capacity }: KernelCall,
  { memory, out, count }: { memory: WebAssembly.Memory; out: number; count: unknown },
): Float64Array<ArrayBuffer> | Failure {
  if (typeof count !== 'number') return { failure: 'the kernel returned no number' };
  if (count < 0) return { failure: `the kernel returned error ${count}` };
  if (count === 0) return { failure: 'the kernel returned no result' };
  if (count > capacity) return { failure: `the kernel returned ${count} results, there is room for ${capacity}` };
  return new Float64Array(memory.buffer, out, count).slice();
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}
