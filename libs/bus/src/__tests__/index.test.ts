import { expect, it } from '@jest/globals';
import * as bus from '../index.js';

it('exports what others build on', () => {
  expect(Object.keys(bus).sort()).toEqual([
    'AttemptTimeoutError',
    'Bus',
    'DisconnectedError',
    'INCARNATION',
    'KvBucket',
    'KvCache',
    'LeaseKeeper',
    'NoResponderError',
    'OwnerTable',
    'Roster',
    'ShardRouter',
    'announce',
    'assign',
    'connectBus',
    'controlHandler',
    'ensureStream',
    'headerSafe',
    'isTransient',
    'memberKey',
    'monotonicNow',
    'newIncarnation',
    'openBucket',
    'publishEvent',
    'retryDelay',
    'retrying',
    'serve',
    'settledWithin',
    'silentLogger',
    'sleep',
    'streamUse',
    'subscribe',
    'tail',
  ]);
});
