import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadTaskSubject, STREAMS, taskSubject } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { connectBus } from '../connect.js';
import { isJetStreamError, JetStreamError, jetStreamApi } from '../jetstream.js';
import { type ConsumerSpec, ensureConsumer, PullConsumer, type PulledMessage } from '../pull-consumer.js';
import { ensureStream, publishEvent, streamUse } from '../stream.js';

const STREAM = STREAMS.tasks.name;
let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'pull-consumer' });
  await ensureStream(bus, STREAMS.tasks);
});

afterAll(async () => {
  await bus.close();
  await server.stop();
});

function spec(name: string, details: Partial<ConsumerSpec> = {}): ConsumerSpec {
  return { stream: STREAM, name, filter: taskSubject(name), ackWaitMs: 30_000, deliveries: 5, ...details };
}

async function put(name: string, ...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await publishEvent(bus, taskSubject(name), { n });
}

const numberOf = ({ data }: PulledMessage): number => JSON.parse(new TextDecoder().decode(data)).n;

async function one(consumer: PullConsumer, expiresMs = 5000): Promise<PulledMessage> {
  const [message, ...more] = await consumer.next({ expiresMs });
  if (!message) throw new Error('no message');
  expect(more).toEqual([]);
  return message;
}

async function left(name: string): Promise<number> {
  const { num_pending, num_ack_pending } = await jetStreamApi<{ num_pending: number; num_ack_pending: number }>(
    bus,
    `CONSUMER.INFO.${STREAM}.${name}`,
  );
  return num_pending + num_ack_pending;
}

describe('a durable consumer', () => {
  it('is made once, by whoever comes first, and keeps its configuration', async () => {
    const made = await Promise.all([ensureConsumer(bus, spec('once')), ensureConsumer(bus, spec('once'))]);
    expect([...made, await ensureConsumer(bus, spec('once', { deliveries: 9, ackWaitMs: 1 }))]).toEqual(
      Array.from({ length: 3 }, () => spec('once')),
    );
    expect((await PullConsumer.open(bus, spec('once', { ackWaitMs: 1 }))).ackWaitMs).toBe(30_000);
    const { config } = await jetStreamApi<{ config: object }>(bus, `CONSUMER.INFO.${STREAM}.once`);
    expect(config).toMatchObject({
      durable_name: 'once',
      filter_subject: 'tide.v1.task.once',
      ack_policy: 'explicit',
      ack_wait: 30_000_000_000,
      max_deliver: 5,
    });
  });

  it('needs its stream', async () => {
    const missing = spec('x', { stream: 'NO_SUCH', filter: deadTaskSubject('x') });
    await expect(ensureConsumer(bus, missing)).rejects.toThrow(JetStreamError);
    await expect(PullConsumer.open(bus, missing)).rejects.toThrow(/stream not found/);
  });
});

describe('next', () => {
  it('hands out each message once, with its place and its time, and acknowledging takes it out of the queue', async () => {
    await put('plain', 1, 2);
    const [a, b] = await Promise.all([PullConsumer.open(bus, spec('plain')), PullConsumer.open(bus, spec('plain'))]);
    const messages = await Promise.all([one(a), one(b)]);
    expect(messages.map(numberOf).sort()).toEqual([1, 2]);
    for (const message of messages) {
      expect(message).toMatchObject({ subject: 'tide.v1.task.plain', attempt: 1 });
      expect(Math.abs(message.storedAt - Date.now())).toBeLessThan(60_000);
    }
    const before = await streamUse(bus, STREAM);
    await Promise.all(messages.map((message) => message.ack()));
    expect((await streamUse(bus, STREAM)).messages).toBe(before.messages - 2);
    expect(await a.next({ expiresMs: 50 })).toEqual([]);
  });

  it('waits for the first one', async () => {
    const consumer = await PullConsumer.open(bus, spec('later'));
    const waiting = one(consumer);
    await put('later', 7);
    const message = await waiting;
    expect(numberOf(message)).toBe(7);
    await message.ack();
  });

  it('brings several at a time, but no more than are asked for, and does not wait for more than are there', async () => {
    const consumer = await PullConsumer.open(bus, spec('batch'));
    expect(await consumer.next({ batch: 4, expiresMs: 50 })).toEqual([]);
    await put('batch', 0, 1, 2, 3, 4, 5);
    const first = await consumer.next({ batch: 4, expiresMs: 60_000 });
    const second = await consumer.next({ batch: 4, expiresMs: 60_000 });
    expect([first, second].map((messages) => messages.map(numberOf))).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
  });

  it('waits longer than the server is silent', async () => {
    const consumer = await PullConsumer.open(bus, spec('long'));
    const start = performance.now();
    expect(await consumer.next({ expiresMs: 2800 })).toEqual([]);
    expect(performance.now() - start).toBeGreaterThan(2700);
  });

  it('ends with the reason of its signal, and loses nothing', async () => {
    const consumer = await PullConsumer.open(bus, spec('aborted'));
    const stop = new AbortController();
    const waiting = consumer.next({ expiresMs: 60_000, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(consumer.next({ expiresMs: 60_000, signal: stop.signal })).rejects.toThrow('enough');
    await put('aborted', 1);
    expect(numberOf(await one(consumer))).toBe(1);
  });
});

describe('a message', () => {
  it('comes again when it is given back, at once or later, and counts its deliveries', async () => {
    const consumer = await PullConsumer.open(bus, spec('back'));
    await put('back', 1);
    (await one(consumer)).nak();
    const second = await one(consumer);
    const start = performance.now();
    second.nak(300);
    const third = await one(consumer);
    expect(performance.now() - start).toBeGreaterThan(250);
    expect([second.attempt, third.attempt, numberOf(third)]).toEqual([2, 3, 1]);
    await third.ack();
  });

  it('comes again after silence, but not while somebody is at it', async () => {
    const consumer = await PullConsumer.open(bus, spec('silent', { ackWaitMs: 400 }));
    await put('silent', 1);
    const first = await one(consumer);
    const beats = setInterval(() => first.working(), 100);
    expect(await consumer.next({ expiresMs: 1200 })).toEqual([]);
    clearInterval(beats);
    const second = await one(consumer);
    expect(second.attempt).toBe(2);
    await second.ack();
  });

  it('is not handed out beyond the limit, nor when it is terminated', async () => {
    const consumer = await PullConsumer.open(bus, spec('limit', { deliveries: 2 }));
    await put('limit', 1);
    (await one(consumer)).nak();
    (await one(consumer)).nak();
    expect(await consumer.next({ expiresMs: 200 })).toEqual([]);
    const other = await PullConsumer.open(bus, spec('ended'));
    await put('ended', 1);
    (await one(other)).term();
    await until(async () => (await left('ended')) === 0);
    expect(await other.next({ expiresMs: 200 })).toEqual([]);
  });
});

describe('a wait', () => {
  it('outlives a restart of the server and a deleted consumer', async () => {
    const consumer = await PullConsumer.open(bus, spec('restart'));
    const waiting = one(consumer, 30_000);
    await server.restart();
    await until(() => bus.connected);
    await until(() =>
      put('restart', 5).then(
        () => true,
        () => false,
      ),
    );
    const message = await waiting;
    await message.ack();
    expect(numberOf(message)).toBe(5);

    const again = one(consumer, 30_000);
    await jetStreamApi(bus, `CONSUMER.DELETE.${STREAM}.restart`);
    await put('restart', 6);
    expect(numberOf(await again)).toBe(6);
  });

  it('ends in time without a server, and a message can then not be acknowledged', async () => {
    const consumer = await PullConsumer.open(bus, spec('gone'));
    await put('gone', 1);
    const message = await one(consumer);
    await server.kill('SIGKILL');
    await until(() => !bus.connected);
    expect(await consumer.next({ expiresMs: 300 })).toEqual([]);
    const failure = await message.ack().catch((error: unknown) => error);
    expect(failure).toMatchObject({ retryable: true });
    message.nak();
    expect(isJetStreamError(failure, 0)).toBe(false);
    await server.restart();
    await until(() => bus.connected);
  });
});
