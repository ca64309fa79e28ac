import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  BadRequestError,
  decisionsReplySchema,
  type TriggerDecisionsRequest,
  UnknownTriggerError,
} from '@tidegate/protocol';
import { listDecisions } from '../decisions.js';
import { type ReadingBench, startReadingBench } from './reading-bench.js';

let bench: ReadingBench;

beforeAll(async () => {
  bench = await startReadingBench();
  bench.staging.declare('T', [8]);
});
afterAll(() => bench.end());

async function page(request: Partial<TriggerDecisionsRequest> & { readonly name: string }) {
  return decisionsReplySchema.parse(await listDecisions(bench.context, { limit: 100, ...request }));
}

it('lists what was committed, in order, over generations and runs, also of a deleted trigger', async () => {
  await bench.commit({ trigger: 'hot', step: 5 });
  await bench.commit({ trigger: 'hot', step: 3, late: true });
  await bench.commit({ trigger: 'hot', step: 4, run: 'other' });
  await bench.commit({ trigger: 'hot', step: 1, generation: 2, failures: { mx: 'gone' }, verdict: 'unknown' });
  await bench.commit({ trigger: 'hot~confirm', step: 5 });
  await bench.commit({ trigger: 'hotter', step: 9 });
  const { decisions, cursor } = await page({ name: 'hot' });
  expect(decisions.map(({ generation, run, step }) => [generation, run, step])).toEqual([
    [1, 'r', 5],
    [1, 'r', 3],
    [1, 'other', 4],
    [2, 'r', 1],
  ]);
  expect(cursor).toBeUndefined();
  expect(decisions[1]).not.toHaveProperty('failures');
  expect(decisions[3]).toMatchObject({ failures: { mx: 'gone' }, verdict: 'unknown' });
  const steps = async (request: Partial<TriggerDecisionsRequest>) =>
    (await page({ name: 'hot', ...request })).decisions.map(({ step }) => step);
  expect(await steps({ run: 'other' })).toEqual([4]);
  expect(await steps({ generation: 2 })).toEqual([1]);
  expect(await steps({ from: 4 })).toEqual([5, 4]);
  expect(await steps({ name: 'hot~confirm' })).toEqual([5]);
});

it('pages through all of them once', async () => {
  const sequences: number[] = [];
  for (let step = 0; step < 25; step++) sequences.push(await bench.commit({ trigger: 'paged', step }));
  const seen: (number | undefined)[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const reply = await page({ name: 'paged', limit: 10, ...(cursor !== undefined && { cursor }) });
    seen.push(...reply.decisions.map(({ sequence }) => sequence));
    cursor = reply.cursor;
    pages++;
  } while (cursor !== undefined);
  expect(seen).toEqual(sequences);
  expect(pages).toBe(3);
});

it('keeps a page within what a message holds', async () => {
  const long = 'x'.repeat(150_000);
  for (let step = 0; step < 10; step++) await bench.commit({ trigger: 'long', step, reason: long });
  const first = await page({ name: 'long' });
  expect(first.decisions.length).toBeGreaterThan(3);
  expect(JSON.stringify(first).length).toBeLessThan(bench.context.bus.maxPayload);
  const second = await page({ name: 'long', cursor: first.cursor });
  expect(first.decisions.length + second.decisions.length).toBe(10);
});

it('knows a trigger that has decided nothing from one that there never was', async () => {
  bench.register({ name: 'calm', on: { variable: 'T' } });
  await expect(page({ name: 'nobody' })).rejects.toThrow(UnknownTriggerError);
  await expect(page({ name: 'calm~child' })).rejects.toThrow(UnknownTriggerError);
  expect(await page({ name: 'calm' })).toEqual({ decisions: [] });
});

it.each(['', '0', '-1', 'x', '1.5', '99999999999999999'])('refuses cursor %j', async (cursor) => {
  await expect(page({ name: 'hot', cursor })).rejects.toThrow(BadRequestError);
});
