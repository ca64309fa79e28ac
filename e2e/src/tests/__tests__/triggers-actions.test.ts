import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import { boxOfShape, splitBox } from '@tidegate/geometry';
import type { DecisionReply, QueryReply, StepsReply, TriggerDefinitionInput } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { startTriggerCluster, type TriggerCluster } from '../trigger-cluster.js';

let triggers: TriggerCluster;
let sdk: Tidegate;
const SHAPE = [8, 8];

beforeAll(async () => {
  triggers = await startTriggerCluster({ raw: 2, meta: 2, shards: 4 });
  sdk = await triggers.cluster.sdk();
  await triggers.engine('one');
}, 60_000);
afterAll(() => triggers?.stop());

async function declare(name: string, more: object = {}): Promise<void> {
  await sdk.declare({ name, dtype: 'float64', shape: SHAPE, ...more });
}

/** Puts cell numbers plus the step, in four partitions. */
async function put(variable: string, step: number): Promise<void> {
  await Promise.all(
    [...splitBox(boxOfShape(SHAPE), 16)].map((box) => {
      const [row = 0] = box.lower;
      return sdk.put({ variable, step, box, data: Float64Array.from({ length: 16 }, (_, n) => step + row * 8 + n) });
    }),
  );
}

async function register(definition: TriggerDefinitionInput): Promise<void> {
  await triggers.register(definition);
}

async function decided(name: string, count: number): Promise<readonly DecisionReply[]> {
  await until(async () => (await triggers.decisions(name)).length >= count, { what: `${count} decisions of ${name}` });
  return triggers.decisions(name);
}

async function steps(variable: string): Promise<StepsReply['steps']> {
  return (await triggers.plain.control('tide.v1.steps', { variable })).json<StepsReply>().steps;
}

test('pin keeps the step and those before it in memory', async () => {
  await declare('pin', { window: 2 });
  await register({
    name: 'pin',
    on: { variable: 'pin' },
    compare: { condition: 'step == 3' },
    action: [{ pin: { steps: 2 } }],
  });
  for (let step = 0; step < 7; step++) await put('pin', step);
  await decided('pin', 7);
  await until(async () => {
    const pinned = (await steps('pin')).filter((step) => step.pinned).map(({ step }) => step);
    return pinned.join() === '2,3';
  });
});

test('persist has the step on disk while it stays in memory', async () => {
  await declare('keep');
  await register({ name: 'keep', on: { variable: 'keep' }, action: [{ persist: {} }, { task: { name: 'kept' } }] });
  await put('keep', 1);
  await decided('keep', 1);
  const [task] = await pull('kept', 1);
  expect(task).toMatchObject({ step: 1, trigger: 'keep' });
  const query = (await triggers.plain.control('tide.v1.query', { variable: 'keep', step: 1 })).json<QueryReply>();
  expect(query).toMatchObject({ covered: true });
  expect(query.pieces).toHaveLength(4);
  const files = await readdir(triggers.cluster.dataDir, { recursive: true });
  for (const { id } of query.pieces) {
    expect(files.filter((file) => file.includes(id) && file.endsWith('.npy'))).toHaveLength(1);
  }
});

test('derive puts what a transform makes of the box, which triggers in turn', async () => {
  await declare('full');
  await sdk.declare({ name: 'small', dtype: 'float64', shape: [4, 4] });
  await register({ name: 'small', on: { variable: 'small' }, check: { n: { reduce: 'count' } } });
  await register({
    name: 'full',
    on: { variable: 'full' },
    action: [{ derive: { transform: { downsample: 2 }, to: 'small' } }],
  });
  await put('full', 5);
  expect(await decided('small', 1)).toMatchObject([{ step: 5, verdict: 'fired', values: { n: 16 } }]);
  const { data } = await sdk.get({ variable: 'small', step: 5 });
  const expected = [0, 2, 4, 6].flatMap((row) => [0, 2, 4, 6].map((column) => 5 + row * 8 + column));
  expect([...data]).toEqual(expected);
  const { partitions } = (await steps('small'))[0] ?? {};
  expect(partitions).toBe(4);
});

test('events, steering, tasks and calls tell of one decision once', async () => {
  await declare('tell');
  const called: unknown[] = [];
  triggers.plain.connection.subscribe('ops.page', {
    callback: (_, message) => {
      called.push(message.json());
      message.respond('{}');
    },
  });
  await triggers.plain.connection.flush();
  await register({
    name: 'tell',
    on: { variable: 'tell' },
    check: { mx: { reduce: 'max' } },
    compare: { condition: 'mx > 64.0' },
    action: [
      { emit: { data: { severity: 'warn' } } },
      { call: { subject: 'ops.page' } },
      { steer: { op: 'set', args: { dt: 0.5 } } },
      { task: { name: 'render', args: { iso: 0.5 } } },
    ],
  });
  for (const step of [0, 2]) await put('tell', step);
  const [quiet, fired] = await decided('tell', 2);
  expect([quiet?.verdict, fired?.verdict, fired?.values['mx']]).toEqual(['quiet', 'fired', 65]);
  const [task] = await pull('render', 1);
  expect(task).toMatchObject({ step: 2, args: { iso: 0.5 }, data: { severity: 'warn' }, values: { mx: 65 } });
  expect(called).toMatchObject([{ step: 2, idempotencyKey: 'tell/1/default/0/2#1' }]);
  for await (const steered of sdk.steering('default')) {
    expect(steered).toMatchObject({ op: 'set', args: { dt: 0.5 }, step: 2, decision: fired?.sequence });
    break;
  }
  expect((await triggers.events('tell')).map(({ id }) => id)).toEqual(['tell/1/default/0/2']);
});

test('a failing action is passed over', async () => {
  await declare('fails');
  await register({
    name: 'fails',
    on: { variable: 'fails' },
    action: [{ call: { subject: 'ops.nobody' } }, { task: { name: 'after' } }],
  });
  for (const step of [0, 1]) await put('fails', step);
  const tasks = await pull('after', 2);
  expect(tasks.map((task) => (task as { step: number }).step)).toEqual([0, 1]);
});

/** Takes and acknowledges so many tasks. */
async function pull(name: string, count: number): Promise<unknown[]> {
  const bodies: unknown[] = [];
  const ended = new AbortController();
  for await (const task of sdk.tasks(name, { signal: ended.signal })) {
    bodies.push(task.body);
    await task.ack();
    if (bodies.length === count) break;
  }
  return bodies;
}
