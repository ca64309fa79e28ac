import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type DeriveReply, type DeriveRequest, isUlid } from '@tidegate/protocol';
import { bodyOf } from '../../measure/__tests__/fake-staging.js';
import { derivePieces } from '../derive.js';
import { type ActionBench, entryOf, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
let asked: DeriveRequest[] = [];
let answer: (request: DeriveRequest) => DeriveReply;
const { signal } = new AbortController();
const decision = fired({}, [{ derive: { transform: { downsample: 4 }, to: 'T_small' } }]);
const stored = ({ pieces }: DeriveRequest): DeriveReply => ({
  results: pieces.map(({ derivedId }) => ({ stored: derivedId })),
});

beforeAll(async () => {
  bench = await startActionBench();
  bench.staging.declare('T', [16, 16]);
  for (const raw of ['raw-a', 'raw-b']) {
    bench.staging.raw(raw, 'derive', (request) => {
      const body = bodyOf<DeriveRequest>(request);
      asked.push(body);
      return answer(body);
    });
  }
});
afterAll(() => bench.end());
beforeEach(() => {
  asked = [];
  answer = stored;
  bench.staging.partitions = [];
  bench.staging.stage({ step: 7, box: '0:8,0:16', raw: 'raw-a' });
  bench.staging.stage({ step: 7, box: '8:16,0:16', raw: 'raw-b' });
});

const derive = () => derivePieces(bench.context, entryOf(decision, 'derive'), { decision, sequence: 1, signal });

it('asks each raw-service for its pieces, with ids that stay the same', async () => {
  await derive();
  const ids = () => asked.flatMap(({ pieces }) => pieces.map(({ derivedId }) => derivedId)).sort();
  const first = ids();
  expect(first).toHaveLength(2);
  expect(first.every(isUlid)).toBe(true);
  expect(asked[0]).toMatchObject({
    transform: { downsample: 4 },
    variable: 'T',
    run: 'r',
    step: 7,
    to: 'T_small',
    activity: 'hot/2/r/1/7#0',
  });
  asked = [];
  await derive();
  expect(ids()).toEqual(first);
});

it('waits for room, and takes what leaves nothing for done', async () => {
  let attempts = 0;
  answer = (request) => {
    if (request.pieces[0]?.raw === 'raw-b') return { results: [{ skipped: true }] };
    return ++attempts < 2 ? { results: [{ failure: 'no room', retryable: true }] } : stored(request);
  };
  await derive();
  expect(attempts).toBe(2);
});

it('gives up what fails for good', async () => {
  answer = () => ({ results: [{ failure: 'T_small is float32', retryable: false }] });
  await expect(derive()).rejects.toThrow('2 of 2 pieces: T_small is float32');
});

it('looks anew where the data has moved', async () => {
  const [first] = bench.staging.partitions;
  answer = (request) => {
    if (request.pieces[0]?.id !== first?.id) return stored(request);
    bench.staging.stage({ step: 7, box: '0:8,0:16', raw: 'raw-b' });
    return { results: [{ gone: true }] };
  };
  await derive();
  expect(asked.at(-1)?.pieces).toHaveLength(2);
  expect(asked.at(-1)?.pieces.every(({ raw }) => raw === 'raw-b')).toBe(true);
});
