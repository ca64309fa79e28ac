import { connect as connectSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expectError, type GuardedCluster, startGuardedCluster } from '../guarded-cluster.js';
import { MALFORMED } from '../malformed-request.js';
import type { PlainClient } from '../plain-client.js';

let guarded: GuardedCluster;
let plain: PlainClient;
beforeAll(async () => {
  guarded = await startGuardedCluster();
  plain = guarded.plain;
});
afterAll(() => guarded?.cluster.stop());

test('the table has what it promises: 60 requests at least, no title twice', () => {
  expect(MALFORMED.length).toBeGreaterThanOrEqual(60);
  expect(new Set(MALFORMED.map(({ title }) => title)).size).toBe(MALFORMED.length);
});

describe('each is refused with its code', () => {
  test.each(MALFORMED)('$title', async ({ subject, headers, payload, status, code, field, body }) => {
    const reply = await plain.request(subject, payload ?? '', headers ?? {});
    const error = expectError(reply);
    expect({
      status: reply.status,
      code: error['code'],
      field: field === undefined ? undefined : error['field'],
    }).toEqual({
      status,
      code,
      field,
    });
    if (body) expect(error).toMatchObject(body);
  });

  test('and all of them together changed nothing', () => guarded.expectUnchanged());
});

describe('what the server or the client refuses', () => {
  test('10 MB of headers do not leave the client', async () => {
    const refused = await plain
      .request('tide.v1.put', '', {
        'Tide-Variable': 'grid',
        'Tide-Step': 0,
        'Tide-Annotation': 'x'.repeat(10_000_000),
      })
      .catch((error: Error) => error.message);
    expect(refused).toMatch(/MAX_PAYLOAD_EXCEEDED|max_payload|payload/i);
  });

  test('a client that sends them all the same is cut off by the server', async () => {
    const { port, hostname } = new URL(guarded.cluster.url.replace('nats:', 'http:'));
    const said = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connectSocket(Number(port), hostname, () => {
        // It is cut off at the announcement: what follows would only make the system drop the server's answer.
        const bytes = 10_000_000;
        socket.write(`CONNECT {"verbose":false,"headers":true}\r\nHPUB tide.v1.put in.box ${bytes} ${bytes}\r\n`);
      });
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => resolve(text));
    });
    expect(said).toContain("-ERR 'Maximum Payload Violation'");
  });

  test('a megabyte in one header is answered with an error of the contract', async () => {
    for (const header of [
      'Tide-Variable',
      'Tide-Step',
      'Tide-Box',
      'Tide-Id',
      'Tide-Annotation',
      'Tide-Derived-From',
    ]) {
      const headers = { 'Tide-Variable': 'grid', 'Tide-Step': 0, [header]: 'x'.repeat(1_000_000) };
      const reply = await plain.request('tide.v1.put', '', headers);
      expect(expectError(reply)).toMatchObject({ code: 'BAD_REQUEST', field: header });
      expect(reply.data.length).toBeLessThan(4096);
    }
  });

  test('changed nothing', () => guarded.expectUnchanged());
});
