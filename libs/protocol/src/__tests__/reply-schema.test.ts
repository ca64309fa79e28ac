import { expect, test } from '@jest/globals';
import type { z } from 'zod';
import {
  deleteReplySchema,
  doneReplySchema,
  putReplySchema,
  queryReplySchema,
  rawStorageSchema,
  rollbackReplySchema,
  runEventSchema,
  stepsReplySchema,
  storageReplySchema,
  uploadTicketSchema,
  variableListReplySchema,
  variableReplySchema,
} from '../reply-schema.js';

const variable = {
  name: 'T',
  dtype: 'float32',
  shape: [4],
  window: 10,
  onEvict: 'spill',
  durability: 'memory',
  layout: [2],
  annotation: 'optional',
  createdAt: '2026-11-24T00:00:00Z',
  shards: 16,
};
const use = { usedBytes: 1, limitBytes: 2 };
const raw = { id: 'raw-1', state: 'ok', memory: use, disk: use };
const put = {
  id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  run: 'default',
  variable: 'T',
  step: 1,
  epoch: 0,
  box: '0:4',
  bytes: 16,
  digest: 'sha256:00',
  rawService: 'raw-1',
  storage: { state: 'nearfull', freeBytes: 5 },
};
const piece = { id: put.id, box: '0:4', bytes: 16, rawService: 'raw-1', tier: 'disk' };
const step = { step: 1, covered: true, partitions: 1, bytes: 16, tier: 'memory', pinned: false };

/** A whole reply of each kind, and the keys that it may lack. */
const REPLIES: readonly (readonly [string, z.ZodType, Readonly<Record<string, unknown>>, readonly string[]])[] = [
  ['variable', variableReplySchema, variable, ['layout']],
  ['variables', variableListReplySchema, { variables: [variable] }, []],
  ['put', putReplySchema, put, ['digest']],
  [
    'ticket',
    uploadTicketSchema,
    { uploadId: 'U', subject: 'tide.v1.raw.raw-1.upload.U', chunkBytes: 1, window: 8, expiresAt: variable.createdAt },
    [],
  ],
  ['query', queryReplySchema, { covered: false, epoch: 0, pieces: [piece], missing: ['4:8'], missingCount: 1 }, []],
  ['steps', stepsReplySchema, { steps: [step], more: true }, ['more']],
  ['delete', deleteReplySchema, { partitions: 1, bytes: 16 }, []],
  ['rollback', rollbackReplySchema, { epoch: 1 }, []],
  ['raw storage', rawStorageSchema, raw, []],
  ['storage', storageReplySchema, { state: 'ok', services: [raw], streams: [{ name: 'S', messages: 1, ...use }] }, []],
  ['done', doneReplySchema, {}, []],
  [
    'run event',
    runEventSchema,
    { run: 'r', epoch: 1, toStep: 3, variables: ['T'], reason: 'why' },
    ['variables', 'reason'],
  ],
];

test.each(REPLIES)('%s: a whole reply fits, and only the optional keys may lack', (_, schema, reply, optional) => {
  expect(schema.parse(reply)).toEqual(reply);
  for (const key of Object.keys(reply)) {
    const { [key]: _left, ...rest } = reply;
    expect([key, schema.safeParse(rest).success]).toEqual([key, optional.includes(key)]);
    expect([key, schema.safeParse({ ...reply, [key]: undefined }).success]).toEqual([key, false]);
  }
});

test.each(REPLIES)('%s: may grow keys', (_, schema, reply) => {
  expect(schema.safeParse({ ...reply, added: 1 }).success).toBe(true);
});
