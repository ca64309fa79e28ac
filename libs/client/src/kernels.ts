import { type Bus, monotonicNow, retrying } from '@tidegate/bus';
import { decodeBody, type KernelListReply, type KernelReply, PUBLIC } from '@tidegate/protocol';
import { bytesOf } from './nd-array.js';
import type { Call, CallOptions } from './requests.js';

/** Calls about the WebAssembly modules that checks and transforms may use. */
export interface Kernels {
  /**
   * Stores a module; the same again changes nothing. Definitions name it by its digest.
   *
   * @throws BadRequestError for what is no module, or one that imports more than a memory; TooLargeError
   */
  put(module: ArrayBufferView | ArrayBuffer, options?: CallOptions): Promise<KernelReply>;
  list(options?: CallOptions): Promise<KernelListReply['kernels']>;
}

const TIMEOUT_MS = 30_000;
const ATTEMPT_MS = 10_000;

/** The calls about kernels over a connection. */
export function kernelCalls(bus: Bus, call: Call): Kernels {
  return {
    put: (module, { timeoutMs = TIMEOUT_MS, signal } = {}) =>
      retrying(
        async (remainingMs) => {
          const reply = await bus.request(PUBLIC.kernelPut, bytesOf(module), {
            timeoutMs: Math.min(remainingMs, ATTEMPT_MS),
            signal,
          });
          return decodeBody(reply.data).map as unknown as KernelReply;
        },
        { deadline: monotonicNow() + timeoutMs, signal },
      ),
    list: async (options = {}) => (await call<KernelListReply>(PUBLIC.kernelList, {}, options)).kernels,
  };
}
