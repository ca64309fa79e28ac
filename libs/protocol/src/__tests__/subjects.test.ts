import { expect, test } from '@jest/globals';
import {
  EVENTS_ALL,
  OWNERS,
  OWNERS_ASK,
  PUBLIC,
  ROOT,
  rawSubject,
  runEventSubject,
  STEPS_SEEN_ALL,
  shardSubject,
  stepSeenSubject,
  storageEventSubject,
  syncSubject,
  uploadSubject,
} from '../subjects.js';

test('the public subjects of the contract', () => {
  expect(PUBLIC).toEqual({
    declare: 'tide.v1.variable.declare',
    variableGet: 'tide.v1.variable.get',
    variableList: 'tide.v1.variable.list',
    variableDelete: 'tide.v1.variable.delete',
    put: 'tide.v1.put',
    putOpen: 'tide.v1.put.open',
    get: 'tide.v1.get',
    query: 'tide.v1.query',
    steps: 'tide.v1.steps',
    delete: 'tide.v1.delete',
    pin: 'tide.v1.pin',
    unpin: 'tide.v1.unpin',
    rollback: 'tide.v1.run.rollback',
    storage: 'tide.v1.storage',
  });
});

test('the internal subjects and the events', () => {
  expect({
    root: ROOT,
    shard: shardSubject(3, 'plan'),
    raw: rawSubject('raw-1', 'read'),
    upload: uploadSubject('raw-1', 'U1'),
    owners: OWNERS,
    ask: OWNERS_ASK,
    sync: syncSubject('meta-1'),
    seen: stepSeenSubject('T', 'default'),
    seenAll: STEPS_SEEN_ALL,
    events: EVENTS_ALL,
    storageEvent: storageEventSubject('raw-1'),
    runEvent: runEventSubject('default'),
  }).toEqual({
    root: 'tide.v1',
    shard: 'tide.v1.shard.3.plan',
    raw: 'tide.v1.raw.raw-1.read',
    upload: 'tide.v1.raw.raw-1.upload.U1',
    owners: 'tide.v1.owners.meta',
    ask: 'tide.v1.owners.ask',
    sync: 'tide.v1.member.meta-1.sync',
    seen: 'tide.v1.steps-seen.T.default',
    seenAll: 'tide.v1.steps-seen.*.*',
    events: 'tide.v1.event.>',
    storageEvent: 'tide.v1.event.storage.raw-1',
    runEvent: 'tide.v1.event.run.default',
  });
});
