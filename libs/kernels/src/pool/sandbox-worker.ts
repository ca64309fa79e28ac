// The script of a worker that runs the kernels of users. It is ended from outside when a kernel takes too long.
import { createHash } from 'node:crypto';
import { type DType, itemSize } from '@tidegate/array';
import { type Box, shapeOf, volume } from '@tidegate/geometry';
import { isTidegateError } from '@tidegate/protocol';
import { BoxReader } from '../box-reader.js';
import { inspectModule, type KernelInfo } from '../inspect-kernel.js';
import { checkPieceData, type PieceData } from '../piece-data.js';
import type { Failure } from '../piece-result.js';
import { callKernel } from '../user-kernel.js';
import { serveTasks, tellStarted } from './worker-port.js';

/** One call of a user's kernel. */
export interface SandboxRequest {
  readonly wasm: Uint8Array;
  readonly digest: string;
  readonly name: string;
  readonly pages: number;
  readonly dtype: DType;
  readonly piece: Box;
  readonly data: PieceData;
  /** Most results. */
  readonly capacity: number;
}

/** Compiled modules that a worker keeps. */
const MODULES = 16;

const modules = new Map<string, { module: WebAssembly.Module; info: KernelInfo }>();

function moduleOf(wasm: Uint8Array, digest: string) {
  const known = modules.get(digest);
  if (known !== undefined) return known;
  const actual = `sha256:${createHash('sha256').update(wasm).digest('hex')}`;
  if (actual !== digest) return { failure: `the kernel's digest is ${actual}, expected ${digest}` };
  let entry: { module: WebAssembly.Module; info: KernelInfo };
  try {
    entry = { info: inspectModule(wasm), module: new WebAssembly.Module(wasm) };
  } catch (error) {
    if (!isTidegateError(error) && !(error instanceof Error)) throw error;
    return { failure: `the kernel cannot be loaded: ${error.message}` };
  }
  const [oldest] = modules.keys();
  if (modules.size >= MODULES && oldest !== undefined) modules.delete(oldest);
  modules.set(digest, entry);
  return entry;
}

serveTasks<SandboxRequest>((request, files) => {
  const { dtype, piece, data } = request;
  checkPieceData(data, piece, dtype);
  const loaded = moduleOf(request.wasm, request.digest);
  if ('failure' in loaded) return { result: loaded };
  const source = files.source(data);
  const reader = new BoxReader({ source, outer: data.box, box: piece, itemSize: itemSize(dtype) });
  const result: Float64Array<ArrayBuffer> | Failure = callKernel({
    ...loaded,
    name: request.name,
    pages: request.pages,
    shape: shapeOf(piece),
    bytes: volume(piece) * itemSize(dtype),
    capacity: request.capacity,
    fill: (target) => reader.fill(target),
    started: tellStarted,
  });
  return 'failure' in result ? { result } : { result, transfer: [result.buffer] };
});
