import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotFoundError } from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import { NoResponderError } from '../bus-errors.js';
import { type Bus, connectBus } from '../connect.js';
import type { Incoming } from '../endpoint.js';
import { LocalExchange } from '../local-exchange.js';
import { subscribe } from '../subscribe.js';

const utf8 = new TextDecoder();
const text = (value: string) => new TextEncoder().encode(value);

describe('LocalExchange', () => {
  let server: NatsServer;
  let service: Bus;
  let caller: Bus;
  let stranger: Bus;

  beforeAll(async () => {
    server = await startNatsServer({});
    const exchange = new LocalExchange();
    service = await connectBus({ servers: server.url, name: 'service', exchange });
    caller = await connectBus({ servers: server.url, name: 'caller', exchange });
    stranger = await connectBus({ servers: server.url, name: 'stranger' });
  });
  afterAll(async () => {
    await Promise.all([service.close(), caller.close(), stranger.close()]);
    await server.stop();
  });

  /** Messages that the server has taken of a connection so far. */
  const sent = (bus: Bus) => bus.connection.stats().outMsgs;
  const echo = ({ data, header, subject }: Incoming) => ({
    data: text(`${subject} ${utf8.decode(data)}`),
    headers: { Seen: header('Ask') },
  });

  it('carries requests and replies of its connections past the server, and those of others over it', async () => {
    const endpoint = subscribe(service, 'part.7.*', echo);
    await service.flush();
    const before = [sent(service), sent(caller)];
    const reply = await caller.request('part.7.plan', text('x'), { timeoutMs: 2000, headers: { Ask: 'me' } });
    expect([utf8.decode(reply.data), reply.header('Seen')]).toEqual(['part.7.plan x', 'me']);
    expect([sent(service), sent(caller)]).toEqual(before);
    expect(utf8.decode((await stranger.request('part.7.plan', text('y'), { timeoutMs: 2000 })).data)).toBe(
      'part.7.plan y',
    );
    expect(sent(service)).toBe((before[0] ?? 0) + 1);
    await endpoint.stop();
  });

  it('carries errors as the server would', async () => {
    const endpoint = subscribe(service, 'part.8.read', () => {
      throw new NotFoundError('gone');
    });
    await expect(caller.request('part.8.read', text(''), { timeoutMs: 2000 })).rejects.toThrow(NotFoundError);
    await endpoint.stop();
    await expect(caller.request('part.8.read', text(''), { timeoutMs: 2000 })).rejects.toThrow(NoResponderError);
  });

  it('forwards a request so that its answer goes to who waits elsewhere', async () => {
    const endpoint = subscribe(service, 'part.9.read', echo);
    const entrance = subscribe(caller, 'part.9.through', ({ data, reply }) => {
      caller.forward('part.9.read', data, reply);
      return undefined;
    });
    await caller.flush();
    const reply = await stranger.request('part.9.through', text('z'), { timeoutMs: 2000 });
    expect(utf8.decode(reply.data)).toBe('part.9.read z');
    await Promise.all([endpoint.stop(), entrance.stop()]);
  });

  it('leaves queue groups, which other processes share, to the server', async () => {
    const endpoint = subscribe(service, 'part.queue', echo, { queue: 'q' });
    await service.flush();
    const before = sent(caller);
    await caller.request('part.queue', text(''), { timeoutMs: 2000 });
    expect(sent(caller)).toBeGreaterThan(before);
    await endpoint.stop();
  });
});
