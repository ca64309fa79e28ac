import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BadRequestError, KERNEL_MAX_BYTES, TooLargeError } from '@tidegate/protocol';
import { FakeStaging } from '../../measure/__tests__/fake-staging.js';
import { KernelStore } from '../kernel-store.js';
import { tinyKernel } from './tiny-kernel.js';

let staging: FakeStaging;
let kernels: KernelStore;

beforeAll(async () => {
  staging = await FakeStaging.start();
  kernels = await KernelStore.open(staging.bus);
});
afterAll(() => staging.end());

const digestOf = (wasm: Uint8Array) => `sha256:${createHash('sha256').update(wasm).digest('hex')}`;
/** The module with a custom section of so many bytes. */
function padded(bytes: number): Uint8Array {
  const content = 2 + bytes;
  const size = [content & 0x7f, (content >> 7) & 0x7f, (content >> 14) & 0x7f].map(
    (part, at) => part | (at < 2 ? 0x80 : 0),
  );
  return Uint8Array.from([...tinyKernel(), 0, ...size, 1, 0x78, ...new Uint8Array(bytes)]);
}

it('stores a module under its digest; the same again changes nothing', async () => {
  expect(await kernels.list()).toEqual([]);
  const wasm = tinyKernel();
  const reply = await kernels.put(wasm);
  expect(reply).toEqual({ digest: digestOf(wasm), exports: ['score'] });
  expect(await kernels.put(wasm)).toEqual(reply);
  const listed = { ...reply, bytes: wasm.length };
  expect(await kernels.list()).toEqual([listed]);
  const other = await KernelStore.open(staging.bus);
  expect(await other.describe(reply.digest)).toEqual(listed);
  expect(await other.describe(`sha256:${'0'.repeat(64)}`)).toBeUndefined();
});

it('takes the largest module and none that is larger', async () => {
  const largest = padded(KERNEL_MAX_BYTES - tinyKernel().length - 6);
  expect(largest.length).toBe(KERNEL_MAX_BYTES);
  expect((await kernels.put(largest)).exports).toEqual(['score']);
  await expect(kernels.put(padded(KERNEL_MAX_BYTES - tinyKernel().length - 5))).rejects.toThrow(TooLargeError);
  expect((await kernels.list()).map(({ bytes }) => bytes).sort((a, b) => a - b)).toEqual([
    tinyKernel().length,
    KERNEL_MAX_BYTES,
  ]);
});

it('refuses what is no module', async () => {
  await expect(kernels.put(new Uint8Array([1, 2, 3]))).rejects.toThrow(BadRequestError);
  await expect(kernels.put(new Uint8Array())).rejects.toThrow(BadRequestError);
});
