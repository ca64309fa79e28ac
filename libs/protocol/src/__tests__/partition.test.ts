import { expect, test } from '@jest/globals';
import type { Epoch, PartitionId, RawId, Stamp } from '../names.js';
import { indexEntry, type PartitionRecord } from '../partition.js';

test('an index entry has what shards need, and nothing of the provenance', () => {
  const record: PartitionRecord = {
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as PartitionId,
    run: 'default',
    variable: 'T',
    step: 4,
    epoch: 1 as Epoch,
    box: { lower: [0], upper: [8] },
    dtype: 'float32',
    bytes: 32,
    stamp: 99 as Stamp,
    createdAt: 5,
    digest: 'sha256:00',
    annotation: '{}',
    derivedFrom: [],
    activity: 'a',
  };
  expect(indexEntry(record, 'raw-1' as RawId, 'disk')).toEqual({
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    run: 'default',
    variable: 'T',
    step: 4,
    epoch: 1,
    box: { lower: [0], upper: [8] },
    bytes: 32,
    stamp: 99,
    raw: 'raw-1',
    tier: 'disk',
  });
});
