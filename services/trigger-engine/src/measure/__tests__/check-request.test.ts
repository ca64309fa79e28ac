import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { encode } from '@msgpack/msgpack';
import { type Subscribed, subscribe } from '@tidegate/bus';
import {
  type CheckRequest,
  HEADERS,
  type PartitionId,
  type RawId,
  rawSubject,
  UnavailableError,
} from '@tidegate/protocol';
import { requestCheck } from '../check-request.js';
import { bodyOf, FakeStaging } from './fake-staging.js';

let staging: FakeStaging;
const serving: Subscribed[] = [];
const options = { timeoutMs: 5000, signal: new AbortController().signal };
const pieces = [0, 1].map((n) => ({ id: `P${n}` as PartitionId, box: `${n}:${n + 1}`, raw: 'raw-c' as RawId }));
const request = { variable: 'T', round: { round: 0 }, pieces };

beforeAll(async () => {
  staging = await FakeStaging.start();
});
afterAll(async () => {
  await Promise.all(serving.map((served) => served.stop()));
  await staging.end();
});

/** A raw-service that answers every check with these bytes, in parts where a size is given. */
function answering(raw: string, bytes: Uint8Array, partBytes?: number, shift = 0): RawId {
  const asked: CheckRequest[] = [];
  serving.push(
    subscribe(staging.bus, rawSubject(raw, 'check'), (incoming) => {
      asked.push(bodyOf<CheckRequest>(incoming));
      if (partBytes === undefined) return { data: bytes };
      for (let offset = 0; offset < bytes.length; offset += partBytes) {
        incoming.send(bytes.subarray(offset, offset + partBytes), {
          [HEADERS.offset]: String(offset === 0 ? 0 : offset + shift),
          [HEADERS.totalBytes]: String(bytes.length),
        });
      }
      return undefined;
    }),
  );
  return raw as RawId;
}

const results = [{ partial: new Uint8Array(5000).fill(7) }, { failure: 'trapped' }];

it('takes a reply of one message, and one of several', async () => {
  const whole = answering('raw-whole', encode({ results }));
  expect(await requestCheck(staging.bus, whole, request, options)).toEqual(results);
  const parted = answering('raw-parted', encode({ results }), 1000);
  expect(await requestCheck(staging.bus, parted, request, options)).toEqual(results);
});

it('keeps its own copy of the bytes', async () => {
  const raw = answering('raw-copy', encode({ results: [{ partial: new Uint8Array([1, 2, 3]) }, { gone: true }] }));
  const [first] = await requestCheck(staging.bus, raw, request, options);
  await requestCheck(staging.bus, raw, request, options);
  expect(first).toEqual({ partial: new Uint8Array([1, 2, 3]) });
});

it.each([
  ['no MessagePack', new Uint8Array([0xc1])],
  ['no map', encode(3)],
  ['no list', encode({ results: 3 })],
  ['too few results', encode({ results: results.slice(1) })],
  ['an unknown result', encode({ results: [{ partial: 'text' }, { failure: 'x' }] })],
  ['a result that is none', encode({ results: [null, { gone: false }] })],
])('refuses %s', async (title, bytes) => {
  const raw = answering(`raw-${title.replaceAll(' ', '-')}`, bytes);
  await expect(requestCheck(staging.bus, raw, request, options)).rejects.toThrow(UnavailableError);
});

it('refuses parts that are out of place', async () => {
  const raw = answering('raw-gap', encode({ results }), 1000, 1);
  await expect(requestCheck(staging.bus, raw, request, options)).rejects.toThrow('at byte 1000');
});

it('tells the raw-service a deadline before its own', async () => {
  let deadlineMs = 0;
  staging.raw('raw-deadline', 'check', (incoming) => {
    ({ deadlineMs } = bodyOf<CheckRequest>(incoming));
    return encode({ results });
  });
  await requestCheck(staging.bus, 'raw-deadline' as RawId, request, options);
  expect(deadlineMs).toBe(4750);
});
