import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BadRequestError,
  BusyError,
  decodeBody,
  encodeBody,
  HEADERS,
  TooLargeError,
  UnavailableError,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { NoResponderError } from '../bus-errors.js';
import { connectBus } from '../connect.js';
import { type Served, serve } from '../service.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const utf8 = new TextDecoder();

describe('serve', () => {
  let server: NatsServer;
  let bus: Bus;
  let client: Bus;
  let served: Served;
  let release: () => void = () => {};

  beforeAll(async () => {
    server = await startNatsServer({ maxPayload: 65_536 });
    bus = await connectBus({ servers: server.url, name: 'service' });
    client = await connectBus({ servers: server.url, name: 'client' });
    served = await serve(bus, {
      name: 'demo',
      version: '1.2.3',
      description: 'for a test',
      endpoints: [
        {
          name: 'echo',
          subject: 'demo.echo',
          handler: ({ data, header }) => ({ data: data.slice(), headers: { Seen: header('Ask') } }),
        },
        {
          name: 'bad',
          subject: 'demo.bad',
          handler: () => Promise.reject(new BadRequestError('box', 'expected a box,\r\ngot — nothing')),
        },
        {
          name: 'broken',
          subject: 'demo.broken',
          handler: () => {
            throw new Error('secret password');
          },
        },
        { name: 'large', subject: 'demo.large', handler: () => ({ data: new Uint8Array(100_000) }) },
        {
          name: 'slow',
          subject: 'demo.slow',
          maxPending: 2,
          handler: () =>
            new Promise((resolve) => {
              const before = release;
              release = () => {
                before();
                resolve({ data: text('done') });
              };
            }),
        },
        {
          name: 'many',
          subject: 'demo.many',
          queue: null,
          handler: async (incoming) => {
            for (let part = 0; part < 3; part++) incoming.send(text(String(part)), { Last: String(part === 2) });
            await incoming.flush();
            return undefined;
          },
        },
      ],
    });
  });

  afterAll(async () => {
    await client.close();
    await bus.close();
    await server.stop();
  });

  it('answers with data and headers', async () => {
    const reply = await client.request('demo.echo', text('hello'), { timeoutMs: 1000, headers: { Ask: 'x' } });
    expect(utf8.decode(reply.data)).toBe('hello');
    expect(reply.header('Seen')).toBe('x');
    expect(reply.header('Absent')).toBe('');
  });

  it('answers a typed error in one header line and a body', async () => {
    const failure = client.request('demo.bad', text('{}'), { timeoutMs: 1000 });
    await expect(failure).rejects.toThrow(BadRequestError);
    await expect(failure).rejects.toMatchObject({ field: 'box', message: 'expected a box,\r\ngot — nothing' });
    const raw = await client.connection.request('demo.bad', '{}');
    expect(raw.headers?.get(HEADERS.errorCode)).toBe('400');
    expect(raw.headers?.get(HEADERS.error)).toBe('expected a box, got nothing');
    expect(decodeBody(raw.data)).toMatchObject({ encoding: 'json', map: { code: 'BAD_REQUEST', retryable: false } });
  });

  it('encodes an error as Accept asks', async () => {
    await expect(
      client.request('demo.bad', text('x'), { timeoutMs: 1000, headers: { Accept: 'application/msgpack' } }),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST', field: 'box' });
  });

  it('tells nothing of an unexpected error but that there was one', async () => {
    const failure = client.request('demo.broken', new Uint8Array(), { timeoutMs: 1000 });
    await expect(failure).rejects.toThrow(UnavailableError);
    await expect(failure).rejects.not.toThrow(/secret/);
  });

  it('answers TOO_LARGE where the reply does not fit a message', async () => {
    const failure = client.request('demo.large', new Uint8Array(), { timeoutMs: 1000 });
    await expect(failure).rejects.toThrow(TooLargeError);
    await expect(failure).rejects.toMatchObject({ limitBytes: 65_536 });
  });

  it('streams several messages', async () => {
    const parts: string[] = [];
    await client.requestStream('demo.many', new Uint8Array(), { timeoutMs: 1000 }, (reply) => {
      parts.push(utf8.decode(reply.data));
      return reply.header('Last') === 'true' ? 'done' : 'more';
    });
    expect(parts).toEqual(['0', '1', '2']);
  });

  it('answers BUSY above the limit of running handlers, and goes on below it', async () => {
    const first = client.request('demo.slow', new Uint8Array(), { timeoutMs: 5000 });
    const second = client.request('demo.slow', new Uint8Array(), { timeoutMs: 5000 });
    await expect(client.request('demo.slow', new Uint8Array(), { timeoutMs: 5000 })).rejects.toThrow(BusyError);
    release();
    expect(utf8.decode((await first).data)).toBe('done');
    expect(utf8.decode((await second).data)).toBe('done');
    const third = client.request('demo.slow', new Uint8Array(), { timeoutMs: 5000 });
    await client.flush();
    await bus.flush();
    release();
    expect(utf8.decode((await third).data)).toBe('done');
  });

  it('is listed by the services framework with true figures', async () => {
    const info = await client.requestJson<{ endpoints: { name: string; queue_group: string }[] }>(
      '$SRV.INFO.demo',
      {},
      { timeoutMs: 1000 },
    );
    expect(info.endpoints.map(({ name }) => name)).toEqual(['echo', 'bad', 'broken', 'large', 'slow', 'many']);
    const stats = await client.requestJson<{ endpoints: Record<string, unknown>[] }>(
      '$SRV.STATS.demo',
      {},
      { timeoutMs: 1000 },
    );
    const bad = stats.endpoints.find((endpoint) => endpoint['name'] === 'bad');
    expect(bad).toMatchObject({ num_requests: 3, num_errors: 3 });
    expect(bad?.['last_error']).toMatch(/expected a box/);
    const slow = stats.endpoints.find((endpoint) => endpoint['name'] === 'slow');
    expect(slow?.['processing_time']).toBeGreaterThan(0);
  });

  it('stops once its running handlers are done', async () => {
    const last = client.request('demo.slow', encodeBody({}, 'json'), { timeoutMs: 5000 });
    await client.flush();
    await bus.flush();
    const stopping = served.stop();
    await until(
      () =>
        client.request('demo.echo', new Uint8Array(), { timeoutMs: 1000 }).then(
          () => false,
          (error) => error instanceof NoResponderError,
        ),
      { what: 'the service to take no more requests' },
    );
    release();
    await stopping;
    expect(utf8.decode((await last).data)).toBe('done');
  });
});
