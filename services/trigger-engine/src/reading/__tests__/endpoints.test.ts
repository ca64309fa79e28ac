import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Served, serve } from '@tidegate/bus';
import {
  BusyError,
  type DecisionsReply,
  decodeBody,
  encodeBody,
  type KernelListReply,
  type KernelReply,
  PUBLIC,
  type TriggerTestReply,
} from '@tidegate/protocol';
import { readingEndpoints } from '../endpoints.js';
import { type ReadingBench, startReadingBench } from './reading-bench.js';
import { tinyKernel } from './tiny-kernel.js';

let bench: ReadingBench;
let served: Served;

beforeAll(async () => {
  bench = await startReadingBench();
  bench.staging.declare('T', [8]);
  const { bus } = bench.context;
  const endpoints = readingEndpoints(bench.context);
  served = await serve(bus, { name: 'reading', version: '1.0.0', description: 'A test', endpoints });
});
afterAll(async () => {
  await served.stop(100);
  await bench.end();
});

const request = <T>(subject: string, body: object) =>
  bench.context.bus.requestJson<T>(subject, body, { timeoutMs: 5000 });

it('answers what the contract says', async () => {
  await bench.commit({ step: 4 });
  const listed = await request<DecisionsReply>(PUBLIC.triggerDecisions, { name: 'hot' });
  expect(listed.decisions).toMatchObject([{ step: 4 }]);
  await expect(request(PUBLIC.triggerExplain, { name: 'nobody', step: 4 })).rejects.toMatchObject({
    code: 'UNKNOWN_TRIGGER',
  });
  bench.staging.stage({ step: 1, box: '0:8' });
  const definition = { name: 'dry', on: { variable: 'T' } };
  const tested = await request<TriggerTestReply>(PUBLIC.triggerTest, { definition, steps: [1, 2] });
  expect(tested).toMatchObject({ decisions: [{ step: 1, verdict: 'fired' }], notCovered: [2] });
});

it('takes a module as a bare payload and answers in the wanted encoding', async () => {
  const { bus } = bench.context;
  const options = { timeoutMs: 5000, headers: { Accept: 'application/msgpack' } };
  const { data } = await bus.request(PUBLIC.kernelPut, tinyKernel(), options);
  const { map, encoding } = decodeBody(data);
  expect(encoding).toBe('msgpack');
  const { digest, exports } = map as unknown as KernelReply;
  expect(exports).toEqual(['score']);
  const { kernels } = await request<KernelListReply>(PUBLIC.kernelList, {});
  expect(kernels).toEqual([{ digest, exports, bytes: tinyKernel().length }]);
  await expect(bus.request(PUBLIC.kernelPut, encodeBody({}, 'json'), { timeoutMs: 5000 })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  });
});

it('runs four tests at a time and says BUSY to a fifth', async () => {
  const waiting = Promise.withResolvers<void>();
  const stop = bench.context.bus.listen('outside.slow', () => waiting.resolve());
  const definition = {
    name: 'slow',
    on: { variable: 'T' },
    check: { ext: { call: { subject: 'outside.slow', timeoutMs: 1500 } } },
  };
  const test = () => request<TriggerTestReply>(PUBLIC.triggerTest, { definition, steps: 1 });
  const running = Array.from({ length: 4 }, test);
  await waiting.promise;
  await expect(test()).rejects.toThrow(BusyError);
  for (const { decisions } of await Promise.all(running)) expect(decisions).toMatchObject([{ verdict: 'fired' }]);
  stop();
});
