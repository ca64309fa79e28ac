import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bus, connectBus, OwnerTable, openBucket, Roster, ShardRouter, silentLogger } from '@tidegate/bus';
import { variableHandle } from '@tidegate/client/region';
import type { MemberRecord, TriggerRecord } from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import { triggerRecord, variableRecord } from '../../__tests__/records.js';
import { SettledLog } from '../../actions/index.js';
import type { EngineContext } from '../../engine-context.js';
import { type EngineState, openEngineState } from '../../engine-state.js';
import {
  deleteTrigger,
  derivations,
  finish,
  listTriggers,
  registerTrigger,
  setEnabled,
  standingTrigger,
  TRIGGERS_LIMIT,
} from '../registration.js';

const T = variableRecord();
const U = variableRecord({ name: 'U' });
let server: NatsServer;
let bus: Bus;
let roster: Roster;
let owners: OwnerTable;
let state: EngineState;
let context: EngineContext;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'registry-test' });
  roster = await Roster.open(bus, await openBucket<MemberRecord>(bus, 'members'));
  owners = OwnerTable.open(bus);
  state = await openEngineState(bus, { variable: () => {}, run: () => {}, trigger: () => {} }, 2);
  for (const record of [T, U]) await state.variables.bucket.put(record.name, record);
  context = {
    bus,
    roster,
    state,
    router: new ShardRouter(bus, owners),
    logger: silentLogger,
    settled: await SettledLog.open(bus, silentLogger),
    wallClock: Date.now,
    signal: new AbortController().signal,
    variable: async (name) => {
      const record = await state.variables.cache.getThrough(name);
      return record && variableHandle(record);
    },
  };
});
afterAll(async () => {
  owners.close();
  roster.stop();
  state.stop();
  await context.settled.stop();
  await bus.close();
  await server.stop();
});

const unchecked = () => Promise.resolve();
const register = (map: Readonly<Record<string, unknown>>) => registerTrigger(context, map, unchecked);

describe('registering', () => {
  test('goes through the states, and what stands is told', async () => {
    expect(await register({ name: 'a', on: { variable: 'T' } })).toEqual({
      name: 'a',
      generation: 1,
      primary: 0,
      shards: [0, 1],
    });
    expect(await standingTrigger(context, 'a')).toMatchObject({ state: 'active', enabled: true });
    await state.triggers.cache.waitFor((await state.triggers.bucket.get('a'))?.revision ?? 0, 5000);
    expect(listTriggers(context, undefined).map(({ name }) => name)).toEqual(['a']);
    expect(listTriggers(context, 'U')).toEqual([]);
  });

  test('a check that refuses leaves nothing', async () => {
    const refused = registerTrigger(context, { name: 'b', on: { variable: 'T' } }, () =>
      Promise.reject(new Error('no')),
    );
    await expect(refused).rejects.toThrow('no');
    await expect(standingTrigger(context, 'b')).rejects.toMatchObject({ code: 'UNKNOWN_TRIGGER' });
  });

  test('another one of the same name at the same time makes the slower one fail or come later', async () => {
    const on = { variable: 'T' };
    const all = await Promise.allSettled(
      [1, 2, 3, 4].map((n) => register({ name: 'race', on, compare: { condition: `step > ${n}` } })),
    );
    const generations = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value.generation] : []));
    for (const each of all) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'CONFLICT' });
    expect(new Set(generations).size).toBe(generations.length);
    const standing = await standingTrigger(context, 'race');
    expect(standing.state).toBe('active');
    expect(standing.generation).toBe(Math.max(...generations));
  });

  test('what is half way is finished by the same registration again, unless it was changed', async () => {
    const record = triggerRecord({ name: 'half', on: { variable: 'T' } }, T, { state: 'registering' });
    const revision = await state.triggers.bucket.put('half', record);
    expect(await register({ name: 'half', on: { variable: 'T' } })).toMatchObject({ generation: 1 });
    expect((await standingTrigger(context, 'half')).state).toBe('active');
    // Whoever comes late finds it done.
    expect((await finish(context, record, revision)).state).toBe('active');
    await setEnabled(context, 'half', false);
    await register({ name: 'half', on: { variable: 'T' }, compare: { for: 3 } });
    await expect(finish(context, record, revision)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('the other triggers derive what their actions say', async () => {
    const derive = [{ trigger: { name: 'c', action: [{ derive: { transform: { downsample: 2 }, to: 'U' } }] } }];
    await register({ name: 'maker', on: { variable: 'T' }, action: derive });
    await state.triggers.cache.waitFor((await state.triggers.bucket.get('maker'))?.revision ?? 0, 5000);
    expect(derivations(context, 'other')).toEqual([{ from: 'T', to: 'U' }]);
    expect(derivations(context, 'maker')).toEqual([]);
  });

  test('two that close a circle, each good alone, do not both stand', async () => {
    const derive = (to: string) => [{ derive: { transform: { downsample: 2 }, to } }];
    await state.variables.bucket.put('V', variableRecord({ name: 'V' }));
    await state.variables.bucket.put('W', variableRecord({ name: 'W' }));
    const both = await Promise.allSettled([
      register({ name: 'vw', on: { variable: 'V' }, action: derive('W') }),
      register({ name: 'wv', on: { variable: 'W' }, action: derive('V') }),
    ]);
    const refused = both.filter((each) => each.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: 'BAD_REQUEST', field: 'action.0.derive.to' });
    const records = await Promise.all(['vw', 'wv'].map((name) => state.triggers.bucket.get(name)));
    const standing = records.filter((entry) => entry !== undefined && entry.value.state !== 'deleted');
    expect(standing.length).toBe(2 - refused.length);
  });

  test('more than so many triggers are refused', async () => {
    const many = new Map<string, { value: TriggerRecord; revision: number }>();
    const record = triggerRecord({ name: 'x', on: { variable: 'T' } }, T);
    for (let n = 0; n < TRIGGERS_LIMIT; n++) many.set(`x${n}`, { value: record, revision: n });
    const full = {
      ...state.triggers,
      cache: Object.create(state.triggers.cache, { entries: { value: () => many.entries() } }),
    };
    const crowded: EngineContext = { ...context, state: { ...state, triggers: full } };
    await expect(registerTrigger(crowded, { name: 'new', on: { variable: 'T' } }, unchecked)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      field: 'name',
    });
  });
});

test('enabling, disabling and deleting keep the generation', async () => {
  await register({ name: 'c', on: { variable: 'T' } });
  const { updatedAt } = await standingTrigger(context, 'c');
  expect(await setEnabled(context, 'c', true)).toMatchObject({ enabled: true });
  expect((await standingTrigger(context, 'c')).updatedAt).toBe(updatedAt);
  expect(await setEnabled(context, 'c', false)).toMatchObject({ enabled: false, generation: 1 });
  // The same definition again does not wake it.
  await register({ name: 'c', on: { variable: 'T' } });
  expect(await standingTrigger(context, 'c')).toMatchObject({ enabled: false, generation: 1 });
  expect(await deleteTrigger(context, 'c')).toEqual({ name: 'c', generation: 1 });
  expect(await register({ name: 'c', on: { variable: 'T' } })).toMatchObject({ generation: 2 });
});
