import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBucket } from '@tidegate/bus';
import type { Tidegate } from '@tidegate/client';
import {
  BUCKETS,
  type DecisionReply,
  engineSubject,
  type TriggerDefinitionInput,
  type TriggerRecord,
  type TriggerReply,
  type UndecidedReply,
} from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { startTriggerCluster, type TriggerCluster } from '../trigger-cluster.js';

let triggers: TriggerCluster;
let sdk: Tidegate;
const DATA = new Uint8Array(64);

beforeAll(async () => {
  triggers = await startTriggerCluster({ raw: 2, meta: 2, shards: 4 });
  sdk = await triggers.cluster.sdk();
  await Promise.all([triggers.engine('one'), triggers.engine('two')]);
}, 60_000);
afterAll(() => triggers?.stop());

async function declare(name: string, window = 20): Promise<void> {
  await sdk.declare({ name, dtype: 'uint8', shape: [8, 8], window });
}

async function call(operation: string, body: object): Promise<Record<string, unknown>> {
  return (await triggers.plain.control(`tide.v1.trigger.${operation}`, body)).json();
}

async function decided(name: string, count: number): Promise<readonly DecisionReply[]> {
  const what = `${count} decisions of ${name}`;
  await until(async () => (await triggers.decisions(name)).length >= count, { what });
  return triggers.decisions(name);
}

describe('registering', () => {
  test('tells primary and shards, changes nothing a second time, and counts generations', async () => {
    await declare('reg');
    const definition = { name: 'reg', on: { variable: 'reg', box: '0:8,0:8' }, compare: { condition: 'step > 2' } };
    const first = { name: 'reg', generation: 1, primary: 0, shards: [0, 1, 2, 3] };
    expect(await call('register', definition)).toEqual(first);
    expect(
      await call('register', { on: { variable: 'reg' }, name: 'reg', compare: { condition: 'step > 2' } }),
    ).toEqual(first);
    expect(await call('register', { ...definition, compare: {} })).toEqual({ ...first, generation: 2 });
    const small = await call('register', { ...definition, on: { variable: 'reg', box: '7:8,7:8' } });
    expect(small).toMatchObject({ generation: 3 });
    expect(small['shards']).toEqual([small['primary']]);
    expect(await call('get', { name: 'reg' })).toMatchObject({
      generation: 3,
      enabled: true,
      definition: { name: 'reg' },
    });
    expect(await call('list', {})).toMatchObject({ triggers: [{ name: 'reg' }] });
    expect(await call('list', { variable: 'other' })).toEqual({ triggers: [] });
  });

  test('many clients at a time get one and the same generation', async () => {
    await declare('crowd');
    const definition = { name: 'crowd', on: { variable: 'crowd' } };
    const replies = await Promise.all(Array.from({ length: 20 }, () => call('register', definition)));
    expect(new Set(replies.map(({ generation }) => generation))).toEqual(new Set([1]));
  });

  test.each([
    ['an unknown variable', { name: 'x', on: { variable: 'nowhere' } }, { code: 'UNKNOWN_VARIABLE' }],
    ['no variable', { name: 'x', on: {} }, { code: 'BAD_REQUEST', field: 'on.variable' }],
    ['nothing', {}, { code: 'BAD_REQUEST' }],
    [
      'an unknown name',
      { name: 'x', on: { variable: 'reg' }, compare: { condition: 'mx > 1' } },
      { code: 'BAD_REQUEST', field: 'compare.condition' },
    ],
    [
      'a kernel that is not stored',
      {
        name: 'x',
        on: { variable: 'reg' },
        check: { k: { wasm: { digest: `sha256:${'0'.repeat(64)}`, export: 'f' } } },
      },
      { code: 'BAD_REQUEST', field: 'check.k.wasm.digest' },
    ],
  ])('refuses %s', async (_, definition, refusal) => {
    expect(await call('register', definition)).toMatchObject(refusal);
  });

  test('refuses derived data that would make itself anew', async () => {
    await declare('ring1');
    await declare('ring2');
    const derive = (to: string) => [{ derive: { transform: { downsample: 2 }, to } }];
    expect(await call('register', { name: 'there', on: { variable: 'ring1' }, action: derive('ring2') })).toMatchObject(
      {
        generation: 1,
      },
    );
    expect(await call('register', { name: 'back', on: { variable: 'ring2' }, action: derive('ring1') })).toMatchObject({
      code: 'BAD_REQUEST',
      field: 'action.0.derive.to',
    });
  });

  test('a registration that was left half way is finished', async () => {
    await declare('left');
    await sdk.put({ variable: 'left', step: 0, data: DATA });
    const definition: TriggerDefinitionInput = { name: 'left', on: { variable: 'left' } };
    await triggers.register(definition);
    await decided('left', 1);
    const bucket = await openBucket<TriggerRecord>(triggers.bus, 'triggers');
    const standing = await bucket.get('left');
    if (standing === undefined) throw new Error('the trigger is registered');
    // What a crash between the two writes of a new generation leaves.
    const record: TriggerRecord = {
      ...standing.value,
      generation: 2,
      state: 'registering',
      updatedAt: new Date().toISOString(),
    };
    await bucket.update('left', record, standing.revision);
    await until(async () => (await bucket.get('left'))?.value.state === 'active', { what: 'somebody to finish it' });
    expect((await decided('left', 2)).map(({ generation, step }) => [generation, step])).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });
});

describe('a trigger that stands', () => {
  test('decides nothing while it is disabled, and what is staged once it is enabled', async () => {
    await declare('sleeper');
    await triggers.register({ name: 'sleeper', on: { variable: 'sleeper' } });
    await sdk.put({ variable: 'sleeper', step: 0, data: DATA });
    await decided('sleeper', 1);
    expect(await call('disable', { name: 'sleeper' })).toMatchObject({ enabled: false, generation: 1 });
    for (const step of [1, 2]) await sdk.put({ variable: 'sleeper', step, data: DATA });
    // Another trigger of the same primary that was told later has decided both.
    await triggers.register({ name: 'awake', on: { variable: 'sleeper' } });
    await decided('awake', 3);
    expect((await triggers.decisions('sleeper')).length).toBe(1);
    expect(await call('enable', { name: 'sleeper' })).toMatchObject({ enabled: true, generation: 1 });
    expect((await decided('sleeper', 3)).map(({ step }) => step)).toEqual([0, 1, 2]);
  });

  test('leaves its decisions when it is deleted, and comes back as the next generation', async () => {
    await declare('again');
    const definition: TriggerDefinitionInput = { name: 'again', on: { variable: 'again' } };
    await triggers.register(definition);
    await sdk.put({ variable: 'again', step: 3, data: DATA });
    await decided('again', 1);
    expect(await call('delete', { name: 'again' })).toEqual({ name: 'again', generation: 1 });
    for (const operation of ['get', 'delete', 'enable', 'disable']) {
      expect(await call(operation, { name: 'again' })).toMatchObject({ code: 'UNKNOWN_TRIGGER' });
    }
    expect((await triggers.decisions('again')).map(({ generation }) => generation)).toEqual([1]);
    await triggers.register(definition);
    expect((await decided('again', 2)).map(({ generation, step }) => [generation, step])).toEqual([
      [1, 3],
      [2, 3],
    ]);
  });

  test('goes with its variable', async () => {
    await declare('gone');
    await triggers.register({ name: 'gone', on: { variable: 'gone' } });
    await triggers.plain.control('tide.v1.variable.delete', { name: 'gone' });
    await until(async () => (await call('get', { name: 'gone' }))['code'] === 'UNKNOWN_TRIGGER', { what: 'it to go' });
    await declare('gone');
    await sdk.put({ variable: 'gone', step: 1, data: DATA });
    await triggers.register({ name: 'gone', on: { variable: 'gone' } });
    expect((await decided('gone', 1)).map(({ generation }) => generation)).toEqual([2]);
  });
});

test('windows are told which steps are still to be decided', async () => {
  await declare('held');
  const trigger = async (name: string, more: object): Promise<TriggerReply> => {
    await triggers.register({ name, on: { variable: 'held' }, ...more });
    return (await call('get', { name })) as unknown as TriggerReply;
  };
  const quick = await trigger('quick', {});
  // Nobody answers for a while: what it checks stays undecided.
  const slow = await trigger('slow', { check: { ext: { call: { subject: 'held.check', timeoutMs: 60_000 } } } });
  const asked: string[] = [];
  let answer = () => {};
  triggers.plain.connection.subscribe('held.check', {
    callback: (_, message) => {
      asked.push(message.subject);
      const before = answer;
      answer = () => {
        before();
        message.respond('1');
        answer = () => {};
      };
    },
  });
  await triggers.plain.connection.flush();
  for (const step of [0, 1]) await sdk.put({ variable: 'held', step, data: DATA });
  await sdk.put({ variable: 'held', step: 2, box: '0:4,0:8', data: DATA.subarray(32) });
  await decided('quick', 2);
  const undecided = async (...which: { name: string; generation: number }[]): Promise<readonly number[]> => {
    const body = {
      variable: 'held',
      run: 'default',
      steps: [0, 1, 2, 3],
      triggers: which.map(({ name, generation }) => ({ name, generation })),
    };
    const subject = engineSubject(quick.primary, 'undecided');
    return (await triggers.bus.requestJson<UndecidedReply>(subject, body, { timeoutMs: 5000 })).undecided;
  };
  await until(() => asked.length >= 2, { what: 'the checks of both steps to be asked for' });
  expect(await undecided(quick)).toEqual([]);
  expect(await undecided(slow)).toEqual([0, 1]);
  expect(await undecided(quick, slow)).toEqual([0, 1]);
  expect(await undecided({ name: 'nobody', generation: 1 })).toEqual([0, 1, 2, 3]);
  expect(await undecided({ ...quick, generation: 9 })).toEqual([0, 1, 2, 3]);
  answer();
  await decided('slow', 2);
  expect(await undecided(quick, slow)).toEqual([]);
  await call('disable', { name: 'slow' });
  expect(await undecided(slow)).toEqual([]);
});

test('windows keep what a decision was made on until its nested triggers are decided, and what the next one compares with', async () => {
  await declare('needed');
  let answer: (() => void) | undefined;
  triggers.plain.connection.subscribe('needed.check', {
    callback: (_, message) => {
      answer = () => message.respond('1');
    },
  });
  await triggers.plain.connection.flush();
  const nested = { name: 'c', check: { ext: { call: { subject: 'needed.check', timeoutMs: 60_000 } } } };
  await triggers.register({ name: 'needed', on: { variable: 'needed' }, action: [{ trigger: nested }] });
  await triggers.register({
    name: 'compares',
    on: { variable: 'needed' },
    check: { d: { reduce: 'linf_diff', against: 'previous' } },
    compare: { condition: 'd > 1.0' },
  });
  await sdk.put({ variable: 'needed', step: 0, data: DATA });
  await decided('needed', 1);
  await decided('compares', 1);
  await until(() => answer !== undefined, { what: 'the nested check' });
  const { primary } = (await call('get', { name: 'needed' })) as unknown as TriggerReply;
  const undecided = async (name: string): Promise<readonly number[]> => {
    const body = { variable: 'needed', run: 'default', steps: [0, 1], triggers: [{ name, generation: 1 }] };
    return (
      await triggers.bus.requestJson<UndecidedReply>(engineSubject(primary, 'undecided'), body, { timeoutMs: 5000 })
    ).undecided;
  };
  expect(await undecided('needed')).toEqual([0]);
  expect(await undecided('compares')).toEqual([0]);
  answer?.();
  await decided('needed~c', 1);
  await until(async () => (await undecided('needed')).length === 0, { what: 'the decision to be settled' });
  await sdk.put({ variable: 'needed', step: 1, data: DATA });
  await decided('compares', 2);
  expect(await undecided('compares')).toEqual([1]);
});

test('a slow responder delays only its own trigger', async () => {
  await declare('apart');
  const call60 = { call: { subject: 'nobody.answers.slowly', timeoutMs: 3000 } };
  triggers.plain.connection.subscribe('nobody.answers.slowly', { callback: () => {} });
  await triggers.plain.connection.flush();
  await triggers.register({ name: 'stuck', on: { variable: 'apart' }, check: { ext: call60 } });
  await triggers.register({ name: 'brisk', on: { variable: 'apart' } });
  for (let step = 0; step < 20; step++) await sdk.put({ variable: 'apart', step, data: DATA });
  await decided('brisk', 20);
  expect((await triggers.decisions('stuck')).length).toBeLessThan(20);
});

test('the lease of a primary names the engine that decides it', async () => {
  const leases = await openBucket<{ owner: string }>(triggers.bus, 'leases');
  const owners = await Promise.all(
    [0, 1, 2, 3].map(async (shard) => (await leases.get(`engine.${shard}`))?.value.owner),
  );
  expect(new Set(owners)).toEqual(new Set(['one', 'two']));
  expect(BUCKETS.leases.ttlMs).toBe(leases.ttlMs);
});
