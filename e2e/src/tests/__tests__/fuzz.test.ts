import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seededRandom } from '@tidegate/testing';
import { patternBytes } from '../cells.js';
import { expectError, type GuardedCluster, startGuardedCluster } from '../guarded-cluster.js';
import { internalSubjects, PUBLIC_SUBJECTS } from '../malformed-request.js';
import type { PlainClient, PlainReply } from '../plain-client.js';

let guarded: GuardedCluster;
let plain: PlainClient;
beforeAll(async () => {
  guarded = await startGuardedCluster();
  plain = guarded.plain;
});
afterAll(() => guarded?.cluster.stop());

/** Replies to a request that may be answered with an error or, where it asks for nothing bad, with an answer. */
async function answered(subject: string, payload: Uint8Array | string, headers = {}): Promise<PlainReply | undefined> {
  const reply = await plain.request(subject, payload, headers, 10_000).catch((error: { code?: string }) => {
    // Nobody listens on a subject that is none of the contract's.
    expect(error.code).toBe('503');
    return undefined;
  });
  if (reply && reply.status !== 0) expectError(reply);
  return reply;
}

describe('binary garbage', () => {
  test('on every public subject', async () => {
    const random = seededRandom(4);
    for (const subject of PUBLIC_SUBJECTS) {
      for (let turn = 0; turn < 4; turn++) {
        const garbage = patternBytes(random.int(1, 3000), random.int(0, 1 << 30));
        garbage[0] = 0xc1;
        expect((await answered(subject, garbage))?.status).toBeGreaterThanOrEqual(400);
      }
    }
  });

  test('on every internal subject', async () => {
    const random = seededRandom(5);
    const bodies = [
      '',
      '{}',
      '[]',
      'null',
      '{"shards":"all"}',
      '{"id":5}',
      '{"ids":{}}',
      '{"shards":[-1,1e9]}',
      '{"shards":[0],"entry":{}}',
    ];
    for (const subject of internalSubjects(guarded.raw, 0)) {
      for (const body of bodies) await answered(subject, body);
      for (let turn = 0; turn < 4; turn++) {
        await answered(subject, patternBytes(random.int(1, 3000), random.int(0, 1 << 30)));
      }
    }
  });

  test('changed nothing', () => guarded.expectUnchanged());
});

describe('2,000 requests of a seeded fuzzer', () => {
  const TOKENS = [
    'grid',
    'noted',
    'nobody',
    '',
    '.',
    '*',
    '>',
    '0',
    '1',
    '-1',
    'NaN',
    '1e9',
    '0:2,0:4',
    '0:99,0:1',
    ':',
    '0:0',
    'true',
    'latest',
    'next:3',
    '[]',
    '{}',
    '"',
    'default',
    '💧',
    '9007199254740991',
  ];
  const HEADERS = [
    'Tide-Variable',
    'Tide-Step',
    'Tide-Box',
    'Tide-Run',
    'Tide-Id',
    'Tide-Wait',
    'Tide-Stream',
    'Tide-Digest',
    'Tide-Annotation',
    'Tide-Derived-From',
    'Tide-Offset',
    'Tide-Commit',
    'Accept',
  ];
  const KEYS = [
    'name',
    'variable',
    'dtype',
    'shape',
    'step',
    'steps',
    'box',
    'run',
    'wait',
    'after',
    'toStep',
    'bytes',
    'shards',
    'id',
    'ids',
    'entry',
    'lower',
    '__proto__',
    'x',
  ];
  /** Requests of these may succeed and would change the state: the fuzzer is to find crashes, not to delete. */
  const HARMLESS = PUBLIC_SUBJECTS.filter(
    (subject) => !/declare|variable\.delete|v1\.delete|pin|rollback|put/.test(subject),
  );

  test('are all answered', async () => {
    const random = seededRandom(2026);
    const value = (depth: number): unknown =>
      random.pick<() => unknown>([
        () => random.pick(TOKENS),
        () => random.int(-5, 20),
        () => random.next() * 1e20,
        () => null,
        () => random.next() < 0.5,
        () => (depth > 3 ? 0 : Array.from({ length: random.int(0, 4) }, () => value(depth + 1))),
        () =>
          depth > 3
            ? 0
            : Object.fromEntries(Array.from({ length: random.int(0, 4) }, () => [random.pick(KEYS), value(depth + 1)])),
      ])();
    const internal = internalSubjects(guarded.raw, 3).filter((subject) =>
      /read|lookup|inventory|plan|covered|list/.test(subject),
    );
    let errors = 0;
    const one = async (): Promise<void> => {
      const kind = random.int(0, 4);
      let reply: PlainReply | undefined;
      if (kind === 0) {
        // A put whose payload never fits: refused whatever its headers say.
        const headers = Object.fromEntries(
          Array.from({ length: random.int(0, 6) }, () => [random.pick(HEADERS), random.pick(TOKENS)]),
        );
        reply = await answered('tide.v1.put', patternBytes(random.int(1, 50) * 2 + 1, 1), {
          ...headers,
          'Tide-Wait': '0',
        });
        expect(reply?.status).toBeGreaterThanOrEqual(400);
      } else if (kind === 1) {
        const headers = Object.fromEntries(
          Array.from({ length: random.int(0, 6) }, () => [random.pick(HEADERS), random.pick(TOKENS)]),
        );
        reply = await answered('tide.v1.get', '', { ...headers, 'Tide-Wait': random.pick(['0', 'x', '-1', '1']) });
      } else if (kind === 2) {
        const body = Object.fromEntries(Array.from({ length: random.int(0, 5) }, () => [random.pick(KEYS), value(0)]));
        delete body['wait'];
        reply = await answered(random.pick(HARMLESS), JSON.stringify(body));
      } else {
        const body = Object.fromEntries(Array.from({ length: random.int(0, 5) }, () => [random.pick(KEYS), value(0)]));
        reply = await answered(random.pick(internal), JSON.stringify(body));
      }
      if (reply && reply.status !== 0) errors++;
    };
    for (let sent = 0; sent < 2000; sent += 20) await Promise.all(Array.from({ length: 20 }, one));
    expect(errors).toBeGreaterThan(1000);
  }, 60_000);

  test('changed nothing', () => guarded.expectUnchanged());

  test('and a good request is still served at once', async () => {
    const start = performance.now();
    const reply = await plain.request('tide.v1.get', '', { 'Tide-Variable': 'grid', 'Tide-Step': 14 });
    expect(reply.status).toBe(0);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
