import { describe, expect, test } from '@jest/globals';
import { makeBox } from '@tidegate/geometry';
import {
  readCovered,
  readIndex,
  readList,
  readPlan,
  readRuns,
  readShards,
  readTier,
  readUnindex,
} from '../shard-request.js';
import { entryOf, ulid } from './painted.js';

const entry = entryOf(1, makeBox([0], [4]));
const step = { raw: 'raw-a', variable: 'v', run: 'r', step: 3 };

test('what raw-services and SDKs send is read', () => {
  expect(readShards({ shards: [0, 7] })).toEqual([0, 7]);
  expect(readIndex({ entry, incarnation: 'i', replace: true })).toEqual({ entry, incarnation: 'i', replace: true });
  expect(readUnindex({ ...step, ids: [ulid(1)], reason: 'evicted', floor: 4 })).toEqual({
    ...step,
    ids: [ulid(1)],
    reason: 'evicted',
    floor: 4,
  });
  expect(readTier({ ...step, ids: [], tier: 'disk' })).toEqual({ ...step, ids: [], tier: 'disk' });
  expect(readPlan({ variable: 'v', run: 'r', step: 0, box: '0:4', waitMs: 5 })).toEqual({
    variable: 'v',
    run: 'r',
    step: 0,
    box: makeBox([0], [4]),
    waitMs: 5,
  });
  expect(readCovered({ variable: 'v', run: 'r', box: '0:4', after: -1, order: 'newest', limit: 0 })).toMatchObject({
    after: -1,
    limit: 1,
    waitMs: 0,
  });
  expect(readRuns({ variable: 'v', shards: [1] })).toEqual({ variable: 'v' });
  expect(readList({ run: '*' })).toEqual({ run: undefined, box: undefined, steps: undefined });
  expect(
    readList({ run: 'r', variable: 'v', steps: '1:3', box: '0:1', belowEpoch: 2, cursor: 'c', summary: true }),
  ).toEqual({
    run: 'r',
    variable: 'v',
    steps: '1:3',
    box: makeBox([0], [1]),
    belowEpoch: 2,
    cursor: 'c',
    summary: true,
  });
});

describe('what is malformed is refused with the name of the field', () => {
  const index = (over: object) => () => readIndex({ entry: { ...entry, ...over }, incarnation: 'i' });
  test.each([
    ['shards', () => readShards({})],
    ['shards', () => readShards({ shards: [] })],
    ['shards', () => readShards({ shards: [-1] })],
    ['shards', () => readShards({ shards: ['1'] })],
    ['entry', () => readIndex({ incarnation: 'i' })],
    ['incarnation', () => readIndex({ entry })],
    ['entry.id', index({ id: 'x' })],
    ['entry.box', index({ box: '0:4' })],
    ['entry.box', index({ box: { lower: [4], upper: [0] } })],
    ['entry.box', index({ box: { lower: [0], upper: ['4'] } })],
    ['variable', index({ variable: 'a b' })],
    ['step', index({ step: 1.5 })],
    ['stamp', index({ stamp: 'late' })],
    ['tier', index({ tier: 'tape' })],
    ['ids', () => readUnindex({ ...step, ids: ['x'], reason: 'undone' })],
    ['reason', () => readUnindex({ ...step, ids: [], reason: 'why not' })],
    ['floor', () => readUnindex({ ...step, ids: [], reason: 'evicted', floor: -1 })],
    ['box', () => readPlan({ variable: 'v', run: 'r', step: 0, box: '4:0' })],
    ['box', () => readPlan({ variable: 'v', run: 'r', step: 0 })],
    ['waitMs', () => readPlan({ variable: 'v', run: 'r', step: 0, box: '0:4', waitMs: -1 })],
    ['after', () => readCovered({ variable: 'v', run: 'r', box: '0:4', after: -2, order: 'newest', limit: 1 })],
    ['order', () => readCovered({ variable: 'v', run: 'r', box: '0:4', after: 0, order: 'any', limit: 1 })],
    [
      'version',
      () => readCovered({ variable: 'v', run: 'r', box: '0:4', after: 0, order: 'newest', limit: 1, version: 1 }),
    ],
    ['steps', () => readList({ run: 'r', steps: 'all' })],
    ['run', () => readList({})],
    ['cursor', () => readList({ run: 'r', cursor: 1 })],
    ['variable', () => readRuns({})],
  ])('%s', (field, read) => {
    expect(read).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', field }));
  });
});
