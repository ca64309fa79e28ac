import { expect, test } from '@jest/globals';
import * as bench from '../bench/index.js';
import * as kernels from '../index.js';
import * as pool from '../pool/index.js';

test('the public names', () => {
  expect(Object.keys(kernels)).toEqual([
    'ByteFormatError',
    'CheckRun',
    'inspectKernel',
    'parseRoundSpec',
    'transformedBox',
    'transformedShape',
  ]);
  expect(Object.keys(pool)).toEqual(['KernelPool']);
  expect(Object.keys(bench)).toEqual(['kernelBench']);
});
