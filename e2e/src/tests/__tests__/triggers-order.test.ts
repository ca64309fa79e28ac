import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import type { DecisionReply, TriggerDefinitionInput, VariableRecord } from '@tidegate/protocol';
import { seededRandom, until } from '@tidegate/testing';
import { type ExpectedDecision, serialDecisions } from '../serial-reference.js';
import { startTriggerCluster, type TriggerCluster } from '../trigger-cluster.js';

const SIZE = 16;
const WRITERS = 8;
let triggers: TriggerCluster;
let sdk: Tidegate;

beforeAll(async () => {
  triggers = await startTriggerCluster({ raw: 2, meta: 2, shards: 4 });
  sdk = await triggers.cluster.sdk();
  await triggers.engine('first');
}, 60_000);
afterAll(() => triggers?.stop());

function declare(name: string): Promise<VariableRecord> {
  return sdk.declare({ name, dtype: 'uint8', shape: [SIZE, SIZE], window: 50 });
}

/** Boxes of `sqrt(parts)` by `sqrt(parts)` tiles. */
function tiles(parts: number): string[] {
  const side = Math.sqrt(parts);
  const length = SIZE / side;
  const boxes: string[] = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      boxes.push(`${y * length}:${(y + 1) * length},${x * length}:${(x + 1) * length}`);
    }
  }
  return boxes;
}

/** Puts all parts of all steps by writers of which each goes through the steps in order, its parts shuffled, some twice. */
async function putAll(
  variable: string,
  options: { steps: number; parts: number; seed: number; from?: number },
): Promise<void> {
  const { steps, parts, seed, from = 0 } = options;
  const random = seededRandom(seed);
  const data = new Uint8Array((SIZE * SIZE) / parts);
  const boxes = tiles(parts);
  const share = (writer: number) => boxes.filter((_, at) => at % WRITERS === writer);
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let step = from; step < from + steps; step++) {
      const own = random.shuffle(share(writer));
      for (const box of [...own, ...own.filter(() => random.next() < 0.1)])
        await sdk.put({ variable, step, box, data });
    }
  });
  await Promise.all(writers);
}

function told({ step, verdict, state, late, indicator }: DecisionReply): ExpectedDecision {
  return { step, verdict, state, late, indicator };
}

async function decided(name: string, count: number): Promise<readonly DecisionReply[]> {
  await until(async () => (await triggers.decisions(name)).length >= count, {
    what: `${count} decisions`,
    timeoutMs: 40_000,
  });
  return triggers.decisions(name);
}

const STATEFUL = { condition: 'step % 7 < 4', for: 2, cooldown: 1, keepFiringFor: 1 } as const;

describe('a trigger on many partitions', () => {
  test.each([1, 4, 16])(
    'decides %i partitions a step as a serial reference does, and tells each event once',
    async (parts) => {
      const variable = await declare(`many${parts}`);
      const definition: TriggerDefinitionInput = {
        name: `many${parts}`,
        on: { variable: variable.name },
        compare: STATEFUL,
      };
      await triggers.register(definition);
      await putAll(variable.name, { steps: 150, parts, seed: parts });
      const decisions = await decided(definition.name, 150);
      const expected = serialDecisions(definition, variable, Array(150).keys());
      expect(decisions.map(told)).toEqual(expected);
      const fired = expected.filter(({ verdict }) => verdict === 'fired').map(({ step }) => step);
      await until(async () => (await triggers.events(definition.name)).length >= fired.length, { what: 'the events' });
      expect((await triggers.events(definition.name)).map(({ step }) => step)).toEqual(fired);
    },
    60_000,
  );

  test('before, during and after the data: the same decisions', async () => {
    const variable = await declare('when');
    const named = (name: string): TriggerDefinitionInput => ({ name, on: { variable: 'when' }, compare: STATEFUL });
    await triggers.register(named('before'));
    const putting = putAll('when', { steps: 120, parts: 4, seed: 9 });
    await until(async () => (await triggers.decisions('before')).length > 20, { what: 'some decisions' });
    await triggers.register(named('during'));
    await putting;
    await triggers.register(named('after'));
    const expected = serialDecisions(named('before'), variable, Array(120).keys());
    for (const name of ['before', 'during', 'after']) {
      expect((await decided(name, 120)).map(told)).toEqual(expected);
    }
  }, 60_000);
});

describe('the order of steps', () => {
  test('a covered step waits for a lower one that is still arriving', async () => {
    await declare('waits');
    await triggers.register({ name: 'waits', on: { variable: 'waits' }, compare: { for: 2 } });
    const half = { variable: 'waits', data: new Uint8Array((SIZE * SIZE) / 2) };
    const [upper, lower] = [`0:${SIZE / 2},0:${SIZE}`, `${SIZE / 2}:${SIZE},0:${SIZE}`];
    await sdk.put({ ...half, step: 1, box: upper });
    for (const step of [2, 3]) await sdk.put({ variable: 'waits', step, data: new Uint8Array(SIZE * SIZE) });
    await sdk.put({ ...half, step: 1, box: lower });
    const decisions = await decided('waits', 3);
    expect(decisions.map(({ step, verdict, late }) => [step, verdict, late])).toEqual([
      [1, 'quiet', false],
      [2, 'fired', false],
      [3, 'fired', false],
    ]);
  });

  test('a step that comes after a later one is decided late, and counted', async () => {
    await declare('late');
    const data = new Uint8Array(SIZE * SIZE);
    await triggers.register({ name: 'late', on: { variable: 'late' }, compare: { for: 2 } });
    await sdk.put({ variable: 'late', step: 5, data });
    await decided('late', 1);
    await sdk.put({ variable: 'late', step: 4, data });
    await sdk.put({ variable: 'late', step: 6, data });
    const decisions = await decided('late', 3);
    expect(decisions.map(({ step, verdict, late }) => [step, verdict, late])).toEqual([
      [5, 'quiet', false],
      [4, 'quiet', true],
      [6, 'fired', false],
    ]);
  });

  test('a trigger that remembers nothing has no late steps', async () => {
    await declare('free');
    const data = new Uint8Array(SIZE * SIZE);
    await triggers.register({ name: 'free', on: { variable: 'free', every: 2 } });
    for (const step of [8, 7, 4]) {
      await sdk.put({ variable: 'free', step, data });
      if (step !== 7) await until(async () => (await triggers.decisions('free')).some((each) => each.step === step));
    }
    expect((await triggers.decisions('free')).map(({ step, verdict, late }) => [step, verdict, late])).toEqual([
      [8, 'fired', false],
      [4, 'fired', false],
    ]);
  });
});

describe('what a trigger is on', () => {
  test('each partition alone, each once, also those that were there before', async () => {
    await declare('parts');
    const data = new Uint8Array((SIZE * SIZE) / 4);
    const put = async (step: number, box: string) => (await sdk.put({ variable: 'parts', step, box, data })).id;
    const boxes = tiles(4);
    const before = await Promise.all(boxes.slice(0, 2).map((box) => put(1, box)));
    await triggers.register({ name: 'parts', on: { variable: 'parts', when: 'partition', box: '0:8,0:16' } });
    await decided('parts', 2);
    // The second one lies outside the box.
    const after = await put(2, boxes[0] ?? '');
    await put(2, boxes[3] ?? '');
    const again = await put(2, boxes[0] ?? '');
    const decisions = await decided('parts', 4);
    expect(decisions.map(({ partition }) => partition).sort()).toEqual([...before, after, again].sort());
  });

  test('the runs that its pattern matches, each by itself', async () => {
    await declare('runs');
    const data = new Uint8Array(SIZE * SIZE);
    await triggers.register({ name: 'runs', on: { variable: 'runs', run: 'a*' }, compare: { for: 2 } });
    for (const step of [0, 1])
      for (const run of ['a1', 'b1', 'a2']) await sdk.put({ variable: 'runs', run, step, data });
    const decisions = await decided('runs', 4);
    const seen = decisions.map(({ run, step, verdict }) => `${run} ${step} ${verdict}`);
    expect(seen.sort()).toEqual(['a1 0 quiet', 'a1 1 fired', 'a2 0 quiet', 'a2 1 fired']);
  });

  test('nested triggers decide where their parent fires', async () => {
    await declare('nest');
    const data = new Uint8Array(SIZE * SIZE);
    await triggers.register({
      name: 'outer',
      on: { variable: 'nest' },
      compare: { condition: 'step % 2 == 0' },
      action: [
        {
          trigger: { name: 'inner', compare: { condition: 'step % 4 == 0' }, action: [{ trigger: { name: 'core' } }] },
        },
      ],
    });
    for (let step = 0; step < 6; step++) await sdk.put({ variable: 'nest', step, data });
    await decided('outer', 6);
    await until(async () => (await triggers.decisions('outer~inner~core')).length >= 2);
    expect((await decided('outer~inner', 3)).map(({ step, verdict }) => [step, verdict])).toEqual([
      [0, 'fired'],
      [2, 'quiet'],
      [4, 'fired'],
    ]);
    expect((await triggers.decisions('outer~inner~core')).map(({ step }) => step)).toEqual([0, 4]);
    await until(async () => (await triggers.events('outer~inner~core')).length === 2);
  });
});

test('a rollback lets the steps above be decided anew, from the state that stands', async () => {
  await declare('back');
  const data = new Uint8Array(SIZE * SIZE);
  await triggers.register({ name: 'back', on: { variable: 'back' }, compare: { for: 3, edge: 'rising' } });
  for (let step = 0; step < 6; step++) await sdk.put({ variable: 'back', step, data });
  await decided('back', 6);
  const { epoch } = await sdk.rollback({ run: 'default', toStep: 1, reason: 'test' });
  for (let step = 2; step < 5; step++) await sdk.put({ variable: 'back', step, data });
  const decisions = await decided('back', 9);
  expect(decisions.map((each) => [each.epoch, each.step, each.verdict])).toEqual([
    [0, 0, 'quiet'],
    [0, 1, 'quiet'],
    [0, 2, 'fired'],
    [0, 3, 'quiet'],
    [0, 4, 'quiet'],
    [0, 5, 'quiet'],
    [epoch, 2, 'fired'],
    [epoch, 3, 'quiet'],
    [epoch, 4, 'quiet'],
  ]);
  const ids = (await triggers.events('back')).map(({ id }) => id);
  expect(ids).toEqual(['back/1/default/0/2', `back/1/default/${epoch}/2`]);
});

test('engines that die, leave and come take nothing with them and decide nothing twice', async () => {
  const variable = await declare('owners');
  const steps = 400;
  const named = (name: string): TriggerDefinitionInput => ({ name, on: { variable: 'owners' }, compare: STATEFUL });
  const names = ['own0', 'own1', 'own2'];
  for (const name of names) await triggers.register(named(name));
  const loose: TriggerDefinitionInput = {
    name: 'loose',
    on: { variable: 'owners' },
    compare: { condition: 'step % 3 == 0' },
  };
  await triggers.register(loose);
  const putting = putAll('owners', { steps, parts: 4, seed: 3 });
  const progress = async (least: number) =>
    until(async () => (await triggers.decisions('own0')).length >= least, {
      what: `${least} decisions`,
      timeoutMs: 40_000,
    });
  const second = await triggers.engine('second');
  await progress(40);
  await second.crash();
  const third = await triggers.engine('third');
  await progress(150);
  const fourth = await triggers.engine('fourth');
  await third.stop();
  await progress(250);
  await fourth.crash();
  await putting;
  const expected = serialDecisions(named('own0'), variable, Array(steps).keys());
  const fired = expected.filter(({ verdict }) => verdict === 'fired').map(({ step }) => step);
  for (const name of names) {
    expect((await decided(name, steps)).map(told)).toEqual(expected);
    await until(async () => (await triggers.events(name)).length >= fired.length, { what: `the events of ${name}` });
    expect((await triggers.events(name)).map(({ step }) => step)).toEqual(fired);
  }
  const unordered = (await decided('loose', steps)).map(({ step }) => step);
  expect(unordered.sort((a, b) => a - b)).toEqual([...Array(steps).keys()]);
  const told3 = (await triggers.events('loose')).map(({ step }) => step).sort((a, b) => a - b);
  expect(told3).toEqual([...Array(steps).keys()].filter((step) => step % 3 === 0));
}, 90_000);
