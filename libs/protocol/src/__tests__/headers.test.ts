import { expect, test } from '@jest/globals';
import { ACCEPT_MSGPACK, HEADERS } from '../headers.js';

test('the headers of the contract', () => {
  expect(HEADERS).toEqual({
    variable: 'Tide-Variable',
    step: 'Tide-Step',
    box: 'Tide-Box',
    run: 'Tide-Run',
    id: 'Tide-Id',
    wait: 'Tide-Wait',
    annotation: 'Tide-Annotation',
    derivedFrom: 'Tide-Derived-From',
    activity: 'Tide-Activity',
    digest: 'Tide-Digest',
    stream: 'Tide-Stream',
    offset: 'Tide-Offset',
    commit: 'Tide-Commit',
    totalBytes: 'Tide-Total-Bytes',
    dtype: 'Tide-Dtype',
    shape: 'Tide-Shape',
    epoch: 'Tide-Epoch',
    index: 'Tide-Index',
    count: 'Tide-Count',
    quarantined: 'Tide-Quarantined',
    accept: 'Accept',
    decision: 'Tide-Decision',
    verdict: 'Tide-Verdict',
    ceSpecVersion: 'ce-specversion',
    ceId: 'ce-id',
    ceSource: 'ce-source',
    ceType: 'ce-type',
    ceSubject: 'ce-subject',
    ceTime: 'ce-time',
    ceDataContentType: 'ce-datacontenttype',
    errorCode: 'Nats-Service-Error-Code',
    error: 'Nats-Service-Error',
  });
  expect(ACCEPT_MSGPACK).toBe('application/msgpack');
});
