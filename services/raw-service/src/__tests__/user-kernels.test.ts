import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KernelRecord } from '@tidegate/protocol';
import { UserKernels } from '../user-kernels.js';
import { recordingLogger, sampleBytes } from './partition-samples.js';

let stored: Map<string, KernelRecord>;
let reads: string[];
let opened: number;
const log = recordingLogger();

beforeEach(() => {
  stored = new Map();
  reads = [];
  opened = 0;
  log.lines.length = 0;
});

function store(name: string, bytes = sampleBytes(name, 1000)): string {
  const hex = createHash('sha256').update(bytes).digest('hex');
  stored.set(hex, { wasm: Buffer.from(bytes).toString('base64'), exports: ['f'], bytes: bytes.length });
  return `sha256:${hex}`;
}

const make = (maxBytes?: number) =>
  new UserKernels({
    bucket: async () => {
      opened++;
      return {
        get: async (key) => {
          reads.push(key);
          const value = stored.get(key);
          return value && { value, revision: 1 };
        },
      };
    },
    logger: log.logger,
    ...(maxBytes !== undefined && { maxBytes }),
  });

describe('UserKernels', () => {
  test('reads a module once, whoever asks for it at a time', async () => {
    const digest = store('a');
    const kernels = make();
    const [first, second] = await Promise.all([kernels.find([digest]), kernels.find([digest])]);
    expect(first.get(digest)).toEqual(sampleBytes('a', 1000));
    expect(second.get(digest)).toBe(first.get(digest));
    await kernels.find([digest]);
    expect(reads).toEqual([digest.slice(7)]);
    await make().find([]);
    expect(opened).toBe(1);
  });

  test('leaves out what is not stored or has other bytes, and looks again the next time', async () => {
    const digest = store('a');
    const other = store('b');
    stored.set(digest.slice(7), stored.get(other.slice(7)) as KernelRecord);
    const absent = `sha256:${'0'.repeat(64)}`;
    const kernels = make();
    expect([...(await kernels.find([digest, absent, other])).keys()]).toEqual([other]);
    expect(log.lines).toMatchObject([{ digest, actual: other }]);
    store('a');
    expect([...(await kernels.find([digest])).keys()]).toEqual([digest]);
  });

  test('keeps the last used within its bound', async () => {
    const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((name) => store(name));
    const kernels = make(2000);
    for (const digest of [a, b, a, c, a, b]) await kernels.find([digest]);
    expect(reads.map((key) => [a, b, c].indexOf(`sha256:${key}`))).toEqual([0, 1, 2, 1]);
    expect((await make(10).find([a, b])).size).toBe(2);
  });
});
