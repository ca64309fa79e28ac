import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectBus, ensureConsumer, publishEvent, streamUse } from '@tidegate/bus';
import { STREAMS, taskSubject, UnavailableError } from '@tidegate/protocol';
import { startNatsServer } from '@tidegate/testing';
import { retryPause, type Task, taskConsumer, tasks } from '../task-queue.js';
import { type BusFixture, busFixture, eventBody } from './bus-fixture.js';

let fixture: BusFixture;
beforeAll(async () => {
  fixture = await busFixture();
});
afterAll(() => fixture.stop());

async function ask(name: string, n: number): Promise<void> {
  const body = { ...eventBody(), args: { n }, attempt: 1, idempotencyKey: `key-${n}` };
  await publishEvent(fixture.bus, taskSubject(name), body);
}

async function first(iteration: AsyncGenerator<Task>): Promise<Task> {
  const { value } = await iteration.next();
  if (!value) throw new Error('no task');
  return value;
}

const stored = async (): Promise<number> => (await streamUse(fixture.bus, STREAMS.tasks.name)).messages;

describe('tasks', () => {
  it('come with their body, and are gone once acknowledged', async () => {
    await ask('plain', 1);
    const before = await stored();
    const iteration = tasks(fixture.bus, 'plain');
    const task = await first(iteration);
    expect(task.body).toEqual({ ...eventBody(), args: { n: 1 }, attempt: 1, idempotencyKey: 'key-1' });
    task.extend();
    await task.ack();
    expect(await stored()).toBe(before - 1);
    await iteration.return();
  });

  it('come again when they failed, and count their attempts', async () => {
    await ask('again', 1);
    const iteration = tasks(fixture.bus, 'again');
    (await first(iteration)).retry(0);
    const second = await first(iteration);
    second.retry(0);
    // A task is settled once: the second pause does not count.
    second.retry(60_000);
    const third = await first(iteration);
    expect([second, third].map(({ body }) => body.attempt)).toEqual([2, 3]);
    await third.ack();
    await iteration.return();
  });

  it('are kept from others while they are held, and no longer', async () => {
    // As somebody may have tuned it.
    await ensureConsumer(fixture.bus, { ...taskConsumer('held'), ackWaitMs: 300 });
    await ask('held', 1);
    const iteration = tasks(fixture.bus, 'held', { holdMs: 1000 });
    const start = performance.now();
    const task = await first(iteration);
    const again = await first(iteration);
    expect(performance.now() - start).toBeGreaterThan(1000);
    expect([task, again].map(({ body }) => body.attempt)).toEqual([1, 2]);
    await again.ack();
    await iteration.return();
  });

  it('are handed out up to the limit, the others stay for other workers, also those that were pulled', async () => {
    for (let n = 0; n < 5; n++) await ask('many', n);
    const iteration = tasks(fixture.bus, 'many', { concurrency: 2 });
    const held = [await first(iteration), await first(iteration)];
    const third = first(iteration);
    const other = tasks(fixture.bus, 'many', { concurrency: 3 });
    const theirs = await first(other);
    await theirs.ack();
    // Ends with two of its three pulled and not handed out.
    await other.return();
    await Promise.all(held.map((task) => task.ack()));
    const rest = [await third, await first(iteration)];
    await Promise.all(rest.map((task) => task.ack()));
    const numbers = [...held, theirs, ...rest].map(({ body }) => body.args['n']);
    expect(numbers.sort()).toEqual([0, 1, 2, 3, 4]);
    await iteration.return();
  });

  it('end with the signal, also while all places are taken', async () => {
    await ask('stop', 1);
    await ask('stop', 2);
    const stop = new AbortController();
    const iteration = tasks(fixture.bus, 'stop', { signal: stop.signal });
    const task = await first(iteration);
    const second = iteration.next();
    stop.abort();
    expect(await second).toEqual({ done: true, value: undefined });
    await task.ack();
    const waiting = new AbortController();
    const idle = tasks(fixture.bus, 'idle', { signal: waiting.signal }).next();
    waiting.abort();
    expect(await idle).toEqual({ done: true, value: undefined });
    await (await first(tasks(fixture.bus, 'stop'))).ack();
  });

  it('without a readable body are passed over and come again later', async () => {
    await publishEvent(fixture.bus, taskSubject('odd'), { odd: true });
    await ask('odd', 2);
    const iteration = tasks(fixture.bus, 'odd', { concurrency: 2 });
    const task = await first(iteration);
    expect(task.body.args).toEqual({ n: 2 });
    await task.ack();
    await iteration.return();
  });

  it('need a cluster that has had a trigger-engine', async () => {
    const empty = await startNatsServer();
    const bus = await connectBus({ servers: empty.url, name: 'empty' });
    await expect(tasks(bus, 'any').next()).rejects.toThrow(UnavailableError);
    await bus.close();
    await empty.stop();
  });
});

it('the pause doubles with every attempt, up to a minute', () => {
  expect([1, 2, 3, 4, 10].map(retryPause)).toEqual([1000, 2000, 4000, 8000, 60_000]);
});

it('all workers share one consumer', () => {
  expect(taskConsumer('render')).toEqual({
    stream: 'TIDE_TASKS',
    name: 'render',
    filter: 'tide.v1.task.render',
    ackWaitMs: 30_000,
    deliveries: 5,
  });
});
