import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Subscribed, subscribe } from '@tidegate/bus';
import {
  decodeBody,
  encodeBody,
  engineSubject,
  syncSubject,
  type TriggerRecord,
  type UndecidedRequest,
} from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { RawBench } from './raw-bench.js';
import { sampleTrigger } from './trigger-samples.js';

const PAYLOAD = new Uint8Array(64 * 64 * 8);

let bench: RawBench;
/** What the fake engine of primary 0 has not decided. */
let open: ReadonlySet<number>;
let questions: UndecidedRequest[];
let count = 0;

beforeAll(async () => {
  bench = await RawBench.start();
  await bench.raw('raw1');
});
afterAll(() => bench.stop());
beforeEach(() => {
  open = new Set();
  questions = [];
});

function startEngine(): Subscribed {
  return subscribe(bench.bus, engineSubject(0, 'undecided'), ({ data }) => {
    const request = decodeBody(data).map as unknown as UndecidedRequest;
    questions.push(request);
    return { data: encodeBody({ undecided: request.steps.filter((step) => open.has(step)) }, 'json') };
  });
}

/** A variable of a window of 2 that drops, and the triggers on it, known to the raw-service. */
async function declare(...triggers: Partial<TriggerRecord>[]) {
  const name = `D${++count}`;
  const { createdAt } = await bench.declare(name, { onEvict: 'drop', window: 2 });
  const records = triggers.map((trigger, at) =>
    sampleTrigger(`t${count}-${at}`, { variable: name, variableCreatedAt: createdAt, ...trigger }),
  );
  for (const record of records) await register(record);
  return { name, records };
}

/** As the engine does: everyone has seen it when this returns. */
async function register(record: TriggerRecord) {
  const revision = await bench.trigger(record);
  await bench.bus.requestJson(syncSubject('raw1'), { bucket: 'triggers', revision }, { timeoutMs: 5000 });
}

const putSteps = async (variable: string, from: number, to: number) => {
  for (let step = from; step < to; step++) await bench.put('raw1', { variable, step }, PAYLOAD);
};
const stepsOf = (variable: string) =>
  [...bench.shards.entries.values()]
    .filter((entry) => entry.variable === variable)
    .map(({ step }) => step)
    .sort((a, b) => a - b);

describe('a window that drops', () => {
  test('asks nobody where there is no trigger', async () => {
    const engine = startEngine();
    const { name } = await declare();
    await putSteps(name, 0, 6);
    await until(() => stepsOf(name).length === 2);
    expect(questions).toEqual([]);
    await engine.stop();
  });

  test('keeps what the engine has not decided, and drops it once it has', async () => {
    const engine = startEngine();
    const { name } = await declare({ generation: 3 });
    open = new Set([0, 1, 2, 4]);
    await putSteps(name, 0, 8);
    await until(() => stepsOf(name).length === 6);
    expect(stepsOf(name)).toEqual([0, 1, 2, 4, 6, 7]);
    open = new Set([2]);
    await until(() => stepsOf(name).length === 3);
    expect(stepsOf(name)).toEqual([2, 6, 7]);
    open = new Set();
    await until(() => stepsOf(name).length === 2);
    for (const { triggers, variable, run } of questions)
      expect([triggers, variable, run]).toEqual([[{ name: `t${count}-0`, generation: 3 }], name, 'default']);
    await engine.stop();
  });

  test('without an engine keeps everything that the triggers are on, until they are gone or disabled', async () => {
    const { name, records } = await declare({ state: 'registering' }, { primary: 3, shards: [3] });
    const [first, second] = records as [TriggerRecord, TriggerRecord];
    const scope = { ...second.definition.on, every: 2 };
    await register({ ...second, definition: { ...second.definition, on: scope } });
    await putSteps(name, 0, 8);
    await register({ ...first, enabled: false });
    await until(() => stepsOf(name).length === 5);
    expect(stepsOf(name)).toEqual([0, 2, 4, 6, 7]);
    await register({ ...second, state: 'deleted' });
    await until(() => stepsOf(name).length === 2);
  });

  test('a trigger of an earlier declaration of the name holds nothing', async () => {
    const { name } = await declare({ variableCreatedAt: 'before' });
    await putSteps(name, 0, 6);
    await until(() => stepsOf(name).length === 2);
  });

  test('a rollback asks the question anew', async () => {
    const engine = startEngine();
    const { name } = await declare({});
    open = new Set([0]);
    await putSteps(name, 0, 4);
    await until(() => stepsOf(name).length === 3);
    const before = questions.length;
    await bench.rollBack('default', 1, 100);
    await putSteps(name, 4, 6);
    await until(() => questions.length > before + 1);
    expect(stepsOf(name)).toContain(0);
    open = new Set();
    await until(() => stepsOf(name).length === 2);
    await engine.stop();
  });

  test('a deletion by a user is not held up', async () => {
    const { name } = await declare({});
    await putSteps(name, 0, 4);
    const ids = [...bench.shards.entries.values()].flatMap(({ id, variable }) => (variable === name ? [id] : []));
    expect(await bench.ask('raw1', 'release', { ids, reason: 'deleted' })).toMatchObject({ partitions: 4 });
    expect(stepsOf(name)).toEqual([]);
  });
});
