import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Bus, connectBus } from '@tidegate/bus';
import { connect, type Tidegate } from '@tidegate/client';
import { STREAMS, type TriggerDefinitionInput, type VariableRecord } from '@tidegate/protocol';
import { seededRandom, until } from '@tidegate/testing';
import { type Deployment, startDeployment } from '../../tests/deployment.js';
import { serialDecisions } from '../../tests/serial-reference.js';
import { allDecisions, storedEvents } from '../../tests/trigger-log.js';
import { putSteps, squares } from '../step-puts.js';

/** Longer than a lease lives, so that another engine takes over from one that is paused. */
const PAUSED_MS = 3500;
const CHAOS_MS = 25_000;
const SERVICES = ['engine-1', 'engine-2', 'meta-1', 'meta-2', 'raw-1', 'raw-2'] as const;
const ENGINES = ['engine-1', 'engine-2'] as const;
const BOXES = squares(16, 4);
const BYTES = 16;

let deployment: Deployment;
let tide: Tidegate;
let bus: Bus;
let variable: VariableRecord;

beforeEach(async () => {
  deployment = await startDeployment({ raw: 2, meta: 2, shards: 4 });
  await Promise.all(ENGINES.map((name) => deployment.start(name)));
  tide = await connect({ servers: deployment.url });
  bus = await connectBus({ servers: deployment.url, name: 'decisions' });
  variable = await tide.declare({ name: 'T', dtype: 'uint8', shape: [16, 16], window: 10_000 });
  for (const definition of [ORDERED, FREE, PARENT]) await tide.triggers.register(definition);
}, 60_000);

afterEach(async () => {
  await bus?.close();
  await tide?.close();
  await deployment?.stop();
}, 60_000);

const ORDERED: TriggerDefinitionInput = {
  name: 'ordered',
  on: { variable: 'T' },
  compare: { condition: 'step % 7 < 4', for: 2, cooldown: 1, keepFiringFor: 1 },
};
const FREE: TriggerDefinitionInput = {
  name: 'free',
  on: { variable: 'T' },
  check: { mx: { reduce: 'max' } },
  compare: { condition: 'step % 3 == 0 && mx == double(step % 256)' },
};
const PARENT: TriggerDefinitionInput = {
  name: 'parent',
  on: { variable: 'T' },
  action: [{ task: { name: 'work' } }, { trigger: { name: 'child', compare: { for: 2 } } }],
};

const ascending = (a: number, b: number): number => a - b;

async function stepsOf(name: string): Promise<number[]> {
  return (await allDecisions(tide, name)).map(({ step }) => step).sort(ascending);
}

async function eventSteps(name: string): Promise<number[]> {
  const events = await storedEvents(bus, name);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  return events.map(({ data: { step } }) => step).sort(ascending);
}

/** Every step is decided once, as one process alone would, and every event is there once. */
async function expectOnce(steps: readonly number[]): Promise<void> {
  const names = ['ordered', 'free', 'parent', 'parent~child'];
  await until(async () => (await Promise.all(names.map(stepsOf))).every((list) => list.length >= steps.length), {
    what: 'all steps to be decided',
    timeoutMs: 60_000,
  });
  // Its condition holds from the second step on that it saw; its event is the last thing that a step leads to.
  await until(async () => (await storedEvents(bus, 'parent~child')).length >= steps.length - 1, {
    what: 'the last event',
    timeoutMs: 20_000,
  });
  const expected = serialDecisions(ORDERED, variable, steps);
  const ordered = (await allDecisions(tide, 'ordered')).map(({ step, verdict, state, late, indicator }) => ({
    step,
    verdict,
    state,
    late,
    indicator,
  }));
  expect(ordered).toEqual(expected);
  expect(await eventSteps('ordered')).toEqual(
    expected.flatMap(({ verdict, step }) => (verdict === 'fired' ? [step] : [])),
  );
  for (const name of ['free', 'parent', 'parent~child']) expect(await stepsOf(name)).toEqual(steps);
  expect(await eventSteps('free')).toEqual(steps.filter((step) => step % 3 === 0));
  expect(await eventSteps('parent')).toEqual(steps);
  expect(await eventSteps('parent~child')).toEqual(steps.slice(1));
}

/** The idempotency keys of the tasks that are queued. */
async function taskKeys(): Promise<string[]> {
  const { streams } = await tide.storage();
  const messages = streams.find(({ name }) => name === STREAMS.tasks.name)?.messages ?? 0;
  const keys: string[] = [];
  const done = new AbortController();
  for await (const task of tide.tasks('work', { concurrency: 64, signal: done.signal })) {
    keys.push(task.body.idempotencyKey);
    await task.ack();
    if (keys.length >= messages) done.abort();
  }
  return keys;
}

test('services that are killed and engines that are paused lose no decision and double none', async () => {
  const random = seededRandom(20);
  const written: number[] = [];
  let stop = false;
  const endless = function* (): Generator<number> {
    for (let step = 0; !stop; step++) yield step;
  };
  const load = { variable: 'T', boxes: BOXES, bytes: BYTES, random: seededRandom(7) };
  const writing = putSteps(tide, { ...load, steps: endless(), onStep: (step) => written.push(step) });
  const end = Date.now() + CHAOS_MS;
  let disturbances = 0;
  while (Date.now() < end) {
    await pause(1000);
    const victim = random.pick(SERVICES);
    if (victim.startsWith('engine') && random.next() < 0.5) {
      deployment.signal(victim, 'SIGSTOP');
      await pause(PAUSED_MS);
      deployment.signal(victim, 'SIGCONT');
    } else {
      await deployment.end(victim, 'SIGKILL');
      await deployment.start(victim);
    }
    disturbances++;
  }
  stop = true;
  await writing;
  expect(disturbances).toBeGreaterThan(8);
  expect(written.length).toBeGreaterThan(50);
  await expectOnce(written);
  // Tasks may come twice; each has its key, and none is missing.
  expect([...new Set(await taskKeys())].sort()).toEqual(written.map((step) => `parent/1/default/0/${step}#0`).sort());
}, 240_000);

test('pointers that are gone are made up for by asking the shards', async () => {
  const random = seededRandom(3);
  const put = (from: number, to: number) =>
    putSteps(tide, {
      variable: 'T',
      steps: Array.from({ length: to - from }, (_, at) => from + at),
      boxes: BOXES,
      bytes: BYTES,
      random,
    });
  const purge = () =>
    bus.request(`$JS.API.STREAM.PURGE.${STREAMS.pointers.name}`, new Uint8Array(), { timeoutMs: 5000 });
  await put(0, 5);
  for (const name of ENGINES) deployment.signal(name, 'SIGSTOP');
  await put(5, 10);
  await purge();
  for (const name of ENGINES) await deployment.end(name, 'SIGKILL');
  await put(10, 15);
  await purge();
  await deployment.start('engine-2');
  await put(15, 20);
  await expectOnce(Array.from({ length: 20 }, (_, step) => step));
}, 120_000);
