import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Bus, connectBus, openBucket, publishEvent, silentLogger, storedMessages } from '@tidegate/bus';
import { formatBox } from '@tidegate/geometry';
import {
  type Epoch,
  type PointerMessage,
  PUBLIC,
  pointerSubject,
  type RawId,
  type RegisterReply,
  type RunRecord,
  STREAMS,
  type Stamp,
  type VariableRecord,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import { decodeDecision, type LoggedDecision } from '../decision-log/logged-decision.js';
import { startTriggerEngine, type TriggerEngine } from '../trigger-engine.js';
import { type FakeEntry, FakeShards } from './fake-shards.js';
import { variableRecord } from './records.js';

const RECORD = variableRecord();

let server: NatsServer;
let bus: Bus;
let shards: FakeShards;
const engines: { engine: TriggerEngine; own: Bus }[] = [];
let count = 0;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'engine-test' });
  await (await openBucket<VariableRecord>(bus, 'variables')).put('T', RECORD);
});
afterAll(async () => {
  await bus.close();
  await server.stop();
});
beforeEach(async () => {
  shards = await FakeShards.start(server.url, RECORD);
});
afterEach(async () => {
  for (const { engine, own } of engines.splice(0)) {
    await engine.stop();
    await own.close();
  }
  await shards.end();
});

async function engine(): Promise<TriggerEngine> {
  const own = await connectBus({ servers: server.url, name: 'engine' });
  const started = await startTriggerEngine({ bus: own, id: `e${count++}`, logger: silentLogger, shards: 2 });
  engines.push({ engine: started, own });
  return started;
}

/** Registers a trigger of its own run, so that the tests do not meet. */
async function register(
  more: { on?: object; compare?: object } = {},
): Promise<{ name: string; run: string; primary: number }> {
  const name = `t${count++}`;
  const definition = { name, ...more, on: { variable: 'T', run: name, ...more.on } };
  const { primary } = await bus.requestJson<RegisterReply>(PUBLIC.triggerRegister, definition, { timeoutMs: 15_000 });
  return { name, run: name, primary };
}

function point(trigger: { name: string; primary: number }, { id, run, step, epoch, box }: FakeEntry): Promise<unknown> {
  const pointer: PointerMessage = {
    trigger: trigger.name,
    variable: 'T',
    run,
    step,
    epoch: epoch as Epoch,
    id,
    box: formatBox(box),
    bytes: 8,
    stamp: 0 as Stamp,
    raw: 'raw-a' as RawId,
  };
  return publishEvent(bus, pointerSubject(trigger.primary, trigger.name), pointer);
}

async function decisions(name: string): Promise<LoggedDecision[]> {
  const all: LoggedDecision[] = [];
  const subject = `tide.v1.decision.${name}.>`;
  for await (const { data } of storedMessages(bus, STREAMS.decisions.name, { subject })) all.push(decodeDecision(data));
  return all;
}

async function decided(name: string, expected: readonly (readonly [epoch: number, step: number])[]): Promise<void> {
  await until(async () => (await decisions(name)).length >= expected.length, { what: `decisions of ${name}` });
  expect((await decisions(name)).map(({ epoch, step }) => [epoch, step])).toEqual(expected);
}

describe('a step', () => {
  test('is decided when its pointers cover the box, whatever comes twice', async () => {
    await engine();
    const trigger = await register();
    const { run } = trigger;
    for (const box of ['0:4', '0:4', '2:6', '4:8']) await point(trigger, shards.stage({ run, step: 1, box }));
    await decided(trigger.name, [[0, 1]]);
    const [decision] = await decisions(trigger.name);
    expect(decision).toMatchObject({ verdict: 'fired', variable: 'T', box: '0:8', generation: 1 });
    expect(decision?.time).toBeGreaterThan(Date.now() - 60_000);
  });

  test('that was put in part before anybody looked is found out about', async () => {
    const early = shards.stage({ run: 'early', step: 3, box: '0:4' });
    await engine();
    const trigger = await register({ on: { run: 'early' } });
    expect(early.run).toBe('early');
    await point(trigger, shards.stage({ run: 'early', step: 3, box: '4:8' }));
    await decided(trigger.name, [[0, 3]]);
  });

  test('whose put is undone again waits for another one', async () => {
    await engine();
    const trigger = await register();
    const { run } = trigger;
    const undone = shards.stage({ run, step: 1, box: '4:8' });
    shards.drop(undone);
    await point(trigger, undone);
    await point(trigger, shards.stage({ run, step: 1, box: '0:4' }));
    // Something that is decided for sure comes after it.
    await point(trigger, shards.stage({ run, step: 2 }));
    await decided(trigger.name, [[0, 2]]);
    await point(trigger, shards.stage({ run, step: 1, box: '4:8' }));
    await decided(trigger.name, [
      [0, 2],
      [0, 1],
    ]);
  });

  test('waits while an inventory is missing, and is decided then', async () => {
    await engine();
    const trigger = await register();
    shards.absent = ['raw-b'];
    await point(trigger, shards.stage({ run: trigger.run, step: 1 }));
    await until(() => (shards.asked.get('plan') ?? 0) > 0 || (shards.asked.get('list') ?? 0) > 0, {
      what: 'a question',
    });
    expect(await decisions(trigger.name)).toEqual([]);
    shards.absent = [];
    await decided(trigger.name, [[0, 1]]);
  });
});

describe('another engine', () => {
  test('goes on where the one before ended, with what was staged meanwhile', async () => {
    await engine();
    const trigger = await register({ compare: { for: 2 } });
    const { run } = trigger;
    await point(trigger, shards.stage({ run, step: 1 }));
    await decided(trigger.name, [[0, 1]]);
    const [first] = engines.splice(0);
    await first?.engine.stop();
    await first?.own.close();
    // Its pointer comes to nobody.
    await point(trigger, shards.stage({ run, step: 2 }));
    shards.page = 1;
    shards.stage({ run, step: 3 });
    shards.stage({ run, step: 4, box: '0:2' });
    await engine();
    await decided(trigger.name, [
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    expect((await decisions(trigger.name)).map(({ verdict }) => verdict)).toEqual(['quiet', 'fired', 'fired']);
    await point(trigger, shards.stage({ run, step: 4, box: '2:8' }));
    await decided(trigger.name, [
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
  });

  test('reads on when somebody else has added a decision', async () => {
    await engine();
    const trigger = await register();
    const { run, name } = trigger;
    await point(trigger, shards.stage({ run, step: 1 }));
    await decided(name, [[0, 1]]);
    const [decision] = await decisions(name);
    // A stale engine decides step 2 first.
    const stolen = shards.stage({ run, step: 2 });
    const headers = { 'Tide-Step': '2', 'Tide-Epoch': '0', 'Tide-Verdict': 'quiet' };
    await publishEvent(
      bus,
      `tide.v1.decision.${name}.1.${run}.${name}`,
      { ...decision, step: 2, outbox: [] },
      { headers },
    );
    await point(trigger, stolen);
    await point(trigger, shards.stage({ run, step: 3 }));
    await decided(name, [
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
  });
});

describe('a rollback', () => {
  async function rollBack(run: string, epoch: number, toStep: number): Promise<void> {
    const record: RunRecord = { run, epoch, toStep, at: '', standing: [{ epoch, toStep }] };
    await (await openBucket<RunRecord>(bus, 'runs')).put(run, record);
  }

  test('lets steps be decided anew, but not on what it superseded', async () => {
    await engine();
    const trigger = await register();
    const { run, name } = trigger;
    const old = [1, 2].map((step) => shards.stage({ run, step }));
    for (const entry of old) await point(trigger, entry);
    await decided(name, [
      [0, 1],
      [0, 2],
    ]);
    await rollBack(run, 1, 1);
    // The shards still hold the old data of step 2 when half of the new has come.
    await point(trigger, shards.stage({ run, step: 2, epoch: 1, box: '0:4' }));
    await point(trigger, shards.stage({ run, step: 1, epoch: 1 }));
    await point(trigger, shards.stage({ run, step: 2, epoch: 1, box: '4:8' }));
    await until(() => (shards.asked.get('list') ?? 0) > 2, { what: 'the engine to look for what is superseded' });
    expect((await decisions(name)).length).toBe(2);
    for (const entry of old) shards.drop(entry);
    await decided(name, [
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
  });

  test('that is known to a pointer before it is known to the engine is waited for', async () => {
    await engine();
    const trigger = await register();
    const { run, name } = trigger;
    await rollBack(run, 1, 4);
    await point(trigger, shards.stage({ run, step: 5, epoch: 1 }));
    await point(trigger, shards.stage({ run, step: 5, epoch: 0 }));
    await point(trigger, shards.stage({ run, step: 4, epoch: 1 }));
    shards.entries = shards.entries.filter(({ step, epoch }) => step !== 5 || epoch === 1);
    await until(async () => (await decisions(name)).length >= 2, { what: 'two decisions' });
    const seen = (await decisions(name)).map(({ epoch, step }) => `${epoch}/${step}`);
    expect(seen.sort()).toEqual(['0/4', '1/5']);
  });
});
