import { expect, test } from '@jest/globals';
import { inspectModule } from '../inspect-kernel.js';
import { callKernel, type KernelCall } from '../user-kernel.js';
import { buildModule, CODE, memoryImport } from './wasm-builder.js';

/** Calls `run` of a module with four cells. */
function call(code: readonly number[], options: Partial<KernelCall> & { limits?: number[] } = {}) {
  const { limits = [1, 1, 16], ...rest } = options;
  const wasm = buildModule({ imports: [memoryImport(...limits)], functions: { run: { code } } });
  const events: string[] = [];
  const result = callKernel({
    module: new WebAssembly.Module(wasm),
    info: inspectModule(wasm),
    name: 'run',
    pages: 256,
    shape: [2, 2],
    bytes: 32,
    capacity: 8,
    fill: (target) => {
      events.push(`fill ${target.length}`);
      new Float64Array(target.buffer, target.byteOffset, 4).set([3, 4, 5, 6]);
    },
    started: () => events.push('started'),
    ...rest,
  });
  return { result: 'failure' in result ? result.failure : Array.from(result), events };
}

test('the cells are there before it starts, the results are copied out', () => {
  expect(call(CODE.first)).toEqual({ result: [3], events: ['fill 32', 'started'] });
  expect(call(CODE.shape).result).toEqual([2, 2, 2]);
  expect(call(CODE.copy, { capacity: 4 }).result).toEqual([3, 4, 5, 6]);
});

test('memory is bounded by the module and by the limit, whichever is less', () => {
  expect(call(CODE.first, { pages: 1 }).result).toMatch(/needs 2 pages, .* at most 1 are allowed/);
  expect(call(CODE.first, { limits: [1, 1, 1] }).result).toMatch(/at most 1 are allowed/);
  const nothing = call(CODE.first, { limits: [1, 40, 50], pages: 30 });
  expect(nothing).toEqual({ result: expect.stringMatching(/needs 41 pages, of which 40 are its own/), events: [] });
  expect(call(CODE.grow).result).toBe('the kernel returned error -1');
});

test('what it does wrong is told', () => {
  expect(call(CODE.trap).result).toMatch(/trapped: unreachable/);
  expect(call(CODE.none).result).toBe('the kernel returned no result');
  expect(call(CODE.error).result).toBe('the kernel returned error -5');
  expect(call(CODE.tooMany).result).toMatch(/returned 16383 results, there is room for 8/);
  expect(call(CODE.first, { name: 'go' }).result).toMatch(/no export "go" of the right signature, it has run/);
});

test('what goes wrong with the cells is not its fault', () => {
  const fill = () => {
    throw new Error('the disk is gone');
  };
  expect(() => call(CODE.first, { fill })).toThrow('the disk is gone');
});
