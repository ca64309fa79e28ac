import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { NotFoundError, type PersistRequest, type RawId } from '@tidegate/protocol';
import { bodyOf } from '../../measure/__tests__/fake-staging.js';
import { persistPieces } from '../persist.js';
import { type ActionBench, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
let persisted: string[] = [];
/** Ids that a raw-service does not have. */
const gone = new Set<string>();
const { signal } = new AbortController();

beforeAll(async () => {
  bench = await startActionBench();
  bench.staging.declare('T', [16, 16]);
  bench.staging.answerLookups('raw-a');
  for (const raw of ['raw-a', 'raw-b']) {
    bench.staging.raw(raw, 'persist', (request) => {
      const { ids } = bodyOf<PersistRequest>(request);
      persisted.push(...ids.filter((id) => !gone.has(id)));
      return { persisted: ids.filter((id) => !gone.has(id)), gone: ids.filter((id) => gone.has(id)) };
    });
  }
});
afterAll(() => bench.end());
beforeEach(() => {
  persisted = [];
  gone.clear();
  bench.staging.partitions = [];
});

it('asks every raw-service for each of its partitions once', async () => {
  const { staging, context } = bench;
  const below = staging.stage({ step: 7, box: '0:16,0:16', raw: 'raw-a' });
  const above = staging.stage({ step: 7, box: '4:8,4:8', raw: 'raw-b' });
  await persistPieces(context, { decision: fired(), sequence: 1, signal });
  expect(persisted.sort()).toEqual([below.id, above.id].sort());
});

it('looks anew where one has moved, and gives up after some time', async () => {
  const { staging, context } = bench;
  const old = staging.stage({ step: 7, box: '0:16,0:16' });
  gone.add(old.id);
  await expect(persistPieces(context, { decision: fired(), sequence: 1, signal })).rejects.toThrow('moved 6 times');
  const anew = staging.stage({ step: 7, box: '0:16,0:16' });
  await persistPieces(context, { decision: fired(), sequence: 1, signal });
  expect(persisted).toEqual([anew.id]);
});

it('takes a partition that was decided alone and no other', async () => {
  const { staging, context } = bench;
  const one = staging.stage({ step: 7, box: '0:8,0:16' });
  staging.stage({ step: 7, box: '8:16,0:16' });
  const source = { raw: 'raw-a' as RawId, box: '0:8,0:16', bytes: one.bytes };
  const decision = fired({ partition: one.id, box: '0:8,0:16', source });
  await persistPieces(context, { decision, sequence: 1, signal });
  expect(persisted).toEqual([one.id]);
});

it('says that the data is gone', async () => {
  await expect(persistPieces(bench.context, { decision: fired(), sequence: 1, signal })).rejects.toThrow(NotFoundError);
});
