import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { PullConsumer, publishEvent, type StreamMessage, silentLogger, storedMessages } from '@tidegate/bus';
import { taskConsumer } from '@tidegate/client';
import { deadTaskSubject, STREAMS, TASK_DELIVERIES, taskSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { type DeadLetters, startDeadLetters, sweepDeadTasks } from '../dead-letter.js';
import { firstInQueue } from '../task-stream.js';
import { type ActionBench, startActionBench } from './action-bench.js';

let bench: ActionBench;
const running: DeadLetters[] = [];
const utf8 = new TextDecoder();

beforeAll(async () => {
  bench = await startActionBench();
});
afterEach(() => {
  for (const letters of running.splice(0)) letters.stop();
});
afterAll(() => bench.end());

async function dead(name: string): Promise<StreamMessage[]> {
  const subject = deadTaskSubject(name);
  const found: StreamMessage[] = [];
  for await (const message of storedMessages(bench.context.bus, STREAMS.deadTasks.name, { subject })) {
    found.push(message);
  }
  return found;
}

/** How many tasks are in a queue. */
async function queued(name: string): Promise<number> {
  let count = 0;
  let sequence: number | undefined = 0;
  for (;;) {
    sequence = await firstInQueue(bench.context.bus, taskSubject(name), sequence + 1);
    if (sequence === undefined) return count;
    count++;
  }
}

/** Pulls a task and gives it back as often as it may be delivered. */
async function failAlways(name: string): Promise<PullConsumer> {
  const consumer = await PullConsumer.open(bench.context.bus, taskConsumer(name));
  for (let attempt = 1; attempt <= TASK_DELIVERIES; attempt++) {
    const [task] = await consumer.next({ expiresMs: 5000 });
    expect(task?.attempt).toBe(attempt);
    task?.nak();
  }
  return consumer;
}

function queue(name: string, id: string): Promise<unknown> {
  return publishEvent(bench.context.bus, taskSubject(name), { args: { id }, attempt: 1 }, { msgId: id });
}

it('moves a task that was delivered as often as it may be, at the server’s word', async () => {
  const { bus } = bench.context;
  running.push(startDeadLetters(bus, silentLogger), startDeadLetters(bus, silentLogger));
  await bus.flush();
  await queue('doomed', 'a#0');
  const consumer = await failAlways('doomed');
  // The server notices with the next request.
  expect(await consumer.next({ expiresMs: 300 })).toEqual([]);
  const [letter] = await until(async () => {
    const letters = await dead('doomed');
    return letters.length > 0 && letters;
  });
  expect(letter?.header('Nats-Msg-Id')).toBe('a#0');
  expect(JSON.parse(utf8.decode(letter?.data))).toEqual({ args: { id: 'a#0' }, attempt: TASK_DELIVERIES });
  await until(async () => (await queued('doomed')) === 0);
  expect(await dead('doomed')).toHaveLength(1);
});

it('sweeps up what was given up while no engine listened', async () => {
  const { bus } = bench.context;
  await queue('unheard', 'b#0');
  const consumer = await failAlways('unheard');
  expect(await consumer.next({ expiresMs: 300 })).toEqual([]);
  await sweepDeadTasks(bus, silentLogger);
  expect(await queued('unheard')).toBe(0);
  expect((await dead('unheard')).map(({ header }) => header('Nats-Msg-Id'))).toEqual(['b#0']);
});

it('leaves alone what waits, what is being worked on, and what was given back', async () => {
  const { bus } = bench.context;
  const consumer = await PullConsumer.open(bus, taskConsumer('alive'));
  await queue('alive', 'c#0');
  await sweepDeadTasks(bus, silentLogger);
  const [task] = await consumer.next({ expiresMs: 5000 });
  await queue('alive', 'c#1');
  await sweepDeadTasks(bus, silentLogger);
  expect(await queued('alive')).toBe(2);
  task?.nak();
  await bus.flush();
  await sweepDeadTasks(bus, silentLogger);
  expect(await queued('alive')).toBe(2);
  expect(await dead('alive')).toEqual([]);
});
