import { expect, test } from '@jest/globals';
import { BadRequestError } from '@tidegate/protocol';
import { inspectKernel, inspectModule } from '../inspect-kernel.js';
import { buildModule, CODE, KERNEL_TYPE, memoryImport, OTHER_TYPE, START_TYPE } from './wasm-builder.js';

test('exports with the signature of a kernel are found, others are not', () => {
  const functions = {
    other: { code: [0x20, 0], type: OTHER_TYPE },
    score: { code: CODE.first },
    'naïve name': { code: CODE.none },
  };
  const wasm = buildModule({ functions, imports: [memoryImport(1, 2, 0x80, 0x02)] });
  expect(inspectKernel(wasm)).toEqual({ exports: ['score', 'naïve name'] });
  expect(inspectModule(wasm).memory).toEqual({ initial: 2, maximum: 256 });
});

const global = { name: ['env', 'limit'] as const, description: [3, 0x7f, 0] };
const fn = { name: ['env', 'now'] as const, description: [0, 0] };

test.each([
  ['no module', Uint8Array.of(0, 1, 2, 3), /valid WebAssembly module/],
  ['nothing', new Uint8Array(), /valid WebAssembly module/],
  ['a module that is cut off', buildModule().slice(0, -3), /valid WebAssembly module/],
  ['no memory', buildModule({ imports: [], functions: { run: { code: CODE.none } } }), /must import one memory/],
  ['a memory of its own', buildModule({ imports: [], ownMemory: [1, 1, 2] }), /it declares one of its own/],
  ['another memory', buildModule({ imports: [{ name: ['js', 'memory'], description: [2, 1, 1, 2] }] }), /"js.memory"/],
  ['a memory without a maximum', buildModule({ imports: [memoryImport(0, 1)] }), /declared maximum/],
  ['a shared memory', buildModule({ imports: [memoryImport(3, 1, 2)] }), /neither shared/],
  ['an imported function', buildModule({ imports: [memoryImport(1, 1, 2), fn] }), /"env.now"/],
  ['an imported global', buildModule({ imports: [global, memoryImport(1, 1, 2)] }), /"env.limit"/],
  [
    'a start function',
    buildModule({
      functions: { run: { code: CODE.first, type: KERNEL_TYPE }, go: { code: [], type: START_TYPE } },
      start: 1,
    }),
    /start function/,
  ],
  ['no kernel', buildModule({ functions: { run: { code: [0x20, 0], type: OTHER_TYPE } } }), /exported function/],
])('%s is refused', (_, wasm, message) => {
  let refusal: unknown;
  try {
    inspectKernel(wasm);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(BadRequestError);
  expect(refusal).toMatchObject({ field: 'body', message: expect.stringMatching(message) });
});
