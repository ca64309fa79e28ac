import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BadRequestError,
  ConflictError,
  decodeBody,
  encodeBody,
  HEADERS,
  variableNameSchema,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { connectBus } from '../connect.js';
import { controlHandler } from '../control.js';
import { subscribe } from '../subscribe.js';

const OPTIONS = { timeoutMs: 1000 };

describe('controlHandler', () => {
  let server: NatsServer;
  let bus: Bus;

  beforeAll(async () => {
    server = await startNatsServer();
    bus = await connectBus({ servers: server.url, name: 'control' });
    subscribe(
      bus,
      'control',
      controlHandler(variableNameSchema, ({ name }, { subject }) => {
        if (name === 'taken') throw new ConflictError('it stands', { name });
        return { name, subject };
      }),
    );
  });

  afterAll(async () => {
    await bus.close();
    await server.stop();
  });

  /** The reply as it is on the wire, an error reply included. */
  const raw = async (
    body: Uint8Array,
  ): Promise<{ map: Readonly<Record<string, unknown>>; encoding: string; status: string }> => {
    const reply = await bus.connection.request('control', body, { timeout: 1000 });
    return { ...decodeBody(reply.data), status: reply.headers?.get(HEADERS.errorCode) ?? '' };
  };

  it.each(['json', 'msgpack'] as const)('answers in the encoding of the request: %s', async (encoding) => {
    const reply = await raw(encodeBody({ name: 'T' }, encoding));
    expect(reply).toEqual({ map: { name: 'T', subject: 'control' }, encoding, status: '' });
  });

  it.each(['json', 'msgpack'] as const)('answers errors in the encoding of the request: %s', async (encoding) => {
    const reply = await raw(encodeBody({ name: 'taken' }, encoding));
    expect(reply).toMatchObject({ map: { code: 'CONFLICT', standing: { name: 'taken' } }, encoding, status: '409' });
  });

  it('names what is wrong with a request', async () => {
    const unknown = bus.request('control', encodeBody({ name: 'T', extra: 1 }, 'json'), OPTIONS);
    await expect(unknown).rejects.toThrow(BadRequestError);
    await expect(unknown).rejects.toMatchObject({ field: 'extra' });
    expect(await raw(new Uint8Array())).toMatchObject({
      map: { code: 'BAD_REQUEST' },
      encoding: 'json',
      status: '400',
    });
    expect(await raw(new TextEncoder().encode('{"name":'))).toMatchObject({ map: { field: 'body' }, encoding: 'json' });
    expect(await raw(Uint8Array.of(0xc1))).toMatchObject({ map: { field: 'body' }, encoding: 'msgpack' });
  });
});
