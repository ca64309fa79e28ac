import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ForbiddenError, TooLargeError, UnavailableError } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { AttemptTimeoutError, DisconnectedError, NoResponderError } from '../bus-errors.js';
import { connectBus } from '../connect.js';
import { subscribe } from '../subscribe.js';

const EMPTY = new Uint8Array();
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const never = (): Promise<undefined> => new Promise(() => {});

describe('Bus', () => {
  let server: NatsServer;
  let bus: Bus;
  let peer: Bus;
  let stops: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startNatsServer({
      maxPayload: 32_768,
      config: `accounts { SYS { users: [{ user: "sys", password: "s" }] }
        T { jetstream: enabled, users: [{ user: "all", password: "p" },
          { user: "few", password: "p", permissions: { publish: { deny: "secret.>" } } }] } }
        system_account: SYS`,
    });
    const login = { servers: server.url, user: 'all', pass: 'p' };
    bus = await connectBus({ ...login, name: 'bus' });
    peer = await connectBus({ ...login, name: 'peer' });
  });

  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
    stops = [];
  });

  afterAll(async () => {
    await bus.close();
    await peer.close();
    await server.stop();
  });

  const answering = (
    subject: string,
    ...rest: Parameters<typeof subscribe> extends [Bus, string, ...infer R] ? R : never
  ): void => {
    const { stop } = subscribe(peer, subject, ...rest);
    stops.push(() => stop(0));
  };

  it('knows the server', () => {
    expect(bus.maxPayload).toBe(32_768);
    expect(bus.serverVersion).toMatch(/^\d+\.\d+/);
    expect(bus.connected).toBe(true);
  });

  it('says at once that nobody answers', async () => {
    const failure = bus.request('nobody.there', EMPTY, { timeoutMs: 5000 });
    await expect(failure).rejects.toThrow(NoResponderError);
    await expect(failure).rejects.toThrow(UnavailableError);
  });

  it('ends an attempt at its time-out, and drops a reply that comes later', async () => {
    let release: () => void = () => {};
    answering('late', () => new Promise((resolve) => (release = () => resolve({ data: text('late') }))));
    answering('prompt', () => ({ data: text('prompt') }));
    await peer.flush();
    await expect(bus.request('late', EMPTY, { timeoutMs: 20 })).rejects.toThrow(AttemptTimeoutError);
    release();
    expect(new TextDecoder().decode((await bus.request('prompt', EMPTY, { timeoutMs: 1000 })).data)).toBe('prompt');
  });

  it('ends a request with its signal', async () => {
    answering('never', never);
    await peer.flush();
    const abort = new AbortController();
    const request = bus.request('never', EMPTY, { timeoutMs: 60_000, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(request).rejects.toThrow('enough');
    await expect(bus.request('never', EMPTY, { timeoutMs: 60_000, signal: abort.signal })).rejects.toThrow('enough');
  });

  it('refuses what does not fit a message', async () => {
    const failure = bus.request('never', new Uint8Array(32_769), { timeoutMs: 1000 });
    await expect(failure).rejects.toThrow(TooLargeError);
    await expect(failure).rejects.toMatchObject({ limitBytes: 32_768 });
    expect(() => bus.publish('any', new Uint8Array(32_768), { Name: 'value' })).toThrow(TooLargeError);
  });

  it('sends JSON both ways', async () => {
    answering('sum', ({ data }) => {
      const { a, b } = JSON.parse(new TextDecoder().decode(data));
      return { data: text(JSON.stringify({ sum: a + b })) };
    });
    await peer.flush();
    expect(await bus.requestJson<{ sum: number }>('sum', { a: 1, b: 2 }, { timeoutMs: 1000 })).toEqual({ sum: 3 });
  });

  it('takes the time-out of a stream of replies for each of them, and what the reader throws for its end', async () => {
    answering('count', async (incoming) => {
      for (let part = 0; part < 5; part++) {
        incoming.send(text(String(part)));
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      return undefined;
    });
    await peer.flush();
    let count = 0;
    await bus.requestStream('count', EMPTY, { timeoutMs: 100 }, () => (++count === 5 ? 'done' : 'more'));
    expect(count).toBe(5);
    await expect(
      bus.requestStream('count', EMPTY, { timeoutMs: 100 }, () => {
        throw new Error('not that');
      }),
    ).rejects.toThrow('not that');
    await expect(bus.requestStream('count', EMPTY, { timeoutMs: 100 }, () => 'more')).rejects.toThrow(
      AttemptTimeoutError,
    );
  });

  it('listens to what is published, outlives a listener that throws, and stops', async () => {
    const heard: string[] = [];
    const stop = bus.listen('news.*', (data, subject, header) => {
      heard.push(`${subject} ${new TextDecoder().decode(data)} ${header('From')}`);
      if (heard.length === 1) throw new Error('a broken listener');
    });
    await bus.flush();
    peer.publish('news.a', text('1'), { From: 'me' });
    peer.publish('news.b', text('2'));
    await until(() => heard.length === 2);
    expect(heard).toEqual(['news.a 1 me', 'news.b 2 ']);
    stop();
    await bus.flush();
    peer.publish('news.c', text('3'));
    await peer.flush();
    await bus.flush();
    expect(heard).toHaveLength(2);
  });

  it('shares a queue group', async () => {
    const heard: number[] = [0, 0];
    const stop = [0, 1].map((n) => bus.listen('work', () => (heard[n] = (heard[n] ?? 0) + 1), { queue: 'workers' }));
    await bus.flush();
    for (let n = 0; n < 50; n++) peer.publish('work', EMPTY);
    await until(() => (heard[0] ?? 0) + (heard[1] ?? 0) === 50);
    for (const end of stop) end();
  });

  it('says FORBIDDEN at once for a subject that its credentials may not use', async () => {
    const few = await connectBus({ servers: server.url, user: 'few', pass: 'p', name: 'few' });
    await expect(few.request('secret.x', EMPTY, { timeoutMs: 5000 })).rejects.toThrow(ForbiddenError);
    await few.close();
  });

  it('fails what waits when the connection is lost, and works when it is back', async () => {
    answering('never', never);
    answering('alive', () => ({ data: text('yes') }));
    await peer.flush();
    let reconnects = 0;
    const forget = bus.onReconnect(() => reconnects++);
    const waiting = bus.request('never', EMPTY, { timeoutMs: 60_000 });
    const failure = expect(waiting).rejects.toMatchObject({ sent: true, code: 'UNAVAILABLE' });
    await server.kill('SIGKILL');
    await failure;
    await expect(bus.request('alive', EMPTY, { timeoutMs: 60_000 })).rejects.toThrow(DisconnectedError);
    await expect(bus.flush()).rejects.toThrow(DisconnectedError);
    await server.restart();
    await until(() => bus.request('alive', EMPTY, { timeoutMs: 1000 }));
    expect(reconnects).toBe(1);
    forget();
  });

  it('closes in bounded time while the connection is lost', async () => {
    const lone = await startNatsServer();
    const lonely = await connectBus({ servers: lone.url, name: 'lonely' });
    await lone.kill('SIGKILL');
    await until(() => !lonely.connected);
    await lonely.close();
    expect(await lonely.closed).toBeUndefined();
    await lonely.close();
    await lone.stop();
  });
});
