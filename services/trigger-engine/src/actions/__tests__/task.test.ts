import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PullConsumer } from '@tidegate/bus';
import { taskConsumer } from '@tidegate/client';
import { type TaskBody, taskBodySchema } from '@tidegate/protocol';
import { queueTask } from '../task.js';
import { type ActionBench, entryOf, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
const { signal } = new AbortController();
const utf8 = new TextDecoder();

beforeAll(async () => {
  bench = await startActionBench();
});
afterAll(() => bench.end());

async function queue(name: string, step = 7, run = 'r'): Promise<void> {
  const decision = fired({ step, run }, [{ emit: { data: { a: 1 } } }, { task: { name, args: { iso: 0.5 } } }]);
  await queueTask(bench.context, entryOf(decision, 'task'), { decision, sequence: 3, signal });
}

it('is the event with what to do, in a queue that any client can pull from', async () => {
  await queue('render');
  const consumer = await PullConsumer.open(bench.context.bus, taskConsumer('render'));
  const [task] = await consumer.next({ expiresMs: 5000 });
  const body = taskBodySchema.parse(JSON.parse(utf8.decode(task?.data))) as TaskBody;
  expect(body).toMatchObject({
    trigger: 'hot',
    step: 7,
    data: { a: 1 },
    decision: 'hot/2/r/1/7',
    args: { iso: 0.5 },
    attempt: 1,
    idempotencyKey: 'hot/2/r/1/7#1',
  });
  expect(task?.attempt).toBe(1);
  await task?.ack();
});

it('is stored once, however often it is tried', async () => {
  await Promise.all([queue('twice', 7, 'q'), queue('twice', 7, 'q'), queue('twice', 8, 'q')]);
  await queue('twice', 7, 'q');
  const consumer = await PullConsumer.open(bench.context.bus, taskConsumer('twice'));
  const tasks = await consumer.next({ batch: 10, expiresMs: 5000 });
  expect(tasks.map(({ header }) => header('Nats-Msg-Id')).sort()).toEqual(['hot/2/q/1/7#1', 'hot/2/q/1/8#1']);
  await Promise.all(tasks.map((task) => task.ack()));
  expect(await consumer.next({ expiresMs: 200 })).toEqual([]);
});
