import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { subscribe } from '@tidegate/bus';
import { BadRequestError, encodeBody, PUBLIC } from '@tidegate/protocol';
import { kernelCalls } from '../kernels.js';
import { answering, type BusFixture, busFixture, callOver } from './bus-fixture.js';

let fixture: BusFixture;
beforeAll(async () => {
  fixture = await busFixture();
});
afterAll(() => fixture.stop());

it('a module goes as it is, and what is stored is listed', async () => {
  const { bus } = fixture;
  const stored = { digest: 'sha256:00', exports: ['score'] };
  const got: Uint8Array[] = [];
  subscribe(bus, PUBLIC.kernelPut, ({ data }) => {
    got.push(data.slice());
    if (data.length === 0) throw new BadRequestError('module', 'expected a WebAssembly module, got nothing');
    return { data: encodeBody(stored, 'json') };
  });
  const list = answering(bus, PUBLIC.kernelList, () => ({ kernels: [{ ...stored, bytes: 4 }] }));
  const kernels = kernelCalls(bus, callOver(bus));
  const module = Uint8Array.of(9, 0, 0x61, 0x73, 0x6d, 9);
  expect(await kernels.put(module.subarray(1, 5))).toEqual(stored);
  expect(got).toEqual([Uint8Array.of(0, 0x61, 0x73, 0x6d)]);
  await expect(kernels.put(new ArrayBuffer(0))).rejects.toThrow(BadRequestError);
  expect(await kernels.list({ timeoutMs: 1000 })).toEqual([{ ...stored, bytes: 4 }]);
  expect(list).toEqual([{}]);
});
