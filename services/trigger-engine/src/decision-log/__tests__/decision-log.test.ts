import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bus, connectBus, ensureStreams } from '@tidegate/bus';
import type { RunRecord } from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import { RunEpochs } from '../../runs/run-epochs.js';
import { INITIAL_STATE } from '../../semantics/index.js';
import { DecisionLog, stands } from '../decision-log.js';
import { RunLog } from '../run-log.js';
import { loggedDecision } from './logged-samples.js';

let server: NatsServer;
let bus: Bus;
const { signal } = new AbortController();
const FIRST = new RunEpochs(undefined, 'T');

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'log-test' });
  await ensureStreams(bus);
});
afterAll(async () => {
  await bus.close();
  await server.stop();
});

function log(run: string, trigger = 't'): DecisionLog {
  return new DecisionLog(bus, { root: 't', generation: 1, run, trigger });
}

test('takes one decision after the other, and of two who know the same only one gets through', async () => {
  const [mine, other] = [log('race'), log('race')];
  expect(await mine.append(loggedDecision({ step: 1 }), signal)).toMatchObject({ decision: { step: 1 } });
  expect(await other.append(loggedDecision({ step: 1 }), signal)).toBeUndefined();
  expect(await other.refresh()).toMatchObject({ step: 1, epoch: 0, verdict: 'quiet' });
  expect(await other.append(loggedDecision({ step: 2, verdict: 'fired' }), signal)).toBeDefined();
  expect(await mine.append(loggedDecision({ step: 2 }), signal)).toBeUndefined();
  await mine.refresh();
  expect(mine.head).toMatchObject({ step: 2, verdict: 'fired' });
  expect((await mine.newest())?.decision.verdict).toBe('fired');
});

test('begins where the newest decision ended', async () => {
  const own = log('state');
  expect(await own.state(FIRST, signal)).toBe(INITIAL_STATE);
  const decision = loggedDecision({ step: 4 });
  await own.append(decision, signal);
  expect(await own.state(FIRST, signal)).toEqual(decision.after);
  const later = log('state');
  await later.refresh();
  expect(await later.state(FIRST, signal)).toEqual(decision.after);
});

test('after a rollback goes on from the newest decision that stands', async () => {
  const own = log('back');
  for (const step of [1, 2, 5]) await own.append(loggedDecision({ step }), signal);
  const late = loggedDecision({ step: 3, late: true, after: loggedDecision({ step: 5 }).after });
  await own.append(late, signal);
  const record = (epoch: number, toStep: number): RunRecord => ({ run: 'back', epoch, toStep, at: '' });
  expect((await own.state(new RunEpochs(record(1, 4), 'T'), signal)).lastStep).toBe(2);
  expect((await own.state(new RunEpochs(record(1, 1), 'T'), signal)).lastStep).toBe(1);
  expect(await own.state(new RunEpochs(record(1, 0), 'T'), signal)).toEqual(INITIAL_STATE);
  const epochs = new RunEpochs(record(1, 1), 'T');
  await own.append(loggedDecision({ step: 2, epoch: 1 }), signal);
  expect((await own.state(epochs, signal)).lastStep).toBe(2);
  expect([stands({ step: 2, epoch: 1 }, epochs), stands({ step: 2, epoch: 0 }, epochs)]).toEqual([true, false]);
});

test('a broker that goes in the middle of an append loses or doubles nothing', async () => {
  const own = log('broken');
  await own.append(loggedDecision({ step: 0 }), signal);
  const appending = own.append(loggedDecision({ step: 1 }), signal);
  await server.restart();
  expect(await appending).toBeDefined();
  expect(await own.append(loggedDecision({ step: 2 }), signal)).toBeDefined();
  const read = new RunLog(bus, { root: 't', generation: 1, run: 'broken' });
  await read.catchUp(signal);
  expect([0, 1, 2, 3].map((step) => read.decided.has({ step, epoch: 0 }))).toEqual([true, true, true, false]);
  expect(read.of('t').head?.step).toBe(2);
}, 20_000);

test('the logs of a tree are read together, on from where they were read to', async () => {
  const reading = new RunLog(bus, { root: 't', generation: 1, run: 'tree' });
  await reading.catchUp(signal);
  expect(reading.complete).toBe(true);
  expect(reading.of('t').head).toBeUndefined();
  await log('tree').append(loggedDecision({ step: 1, verdict: 'fired' }), signal);
  await log('tree', 't~c').append(loggedDecision({ step: 1, trigger: 't~c' }), signal);
  await log('tree2').append(loggedDecision({ step: 9, partition: '01M86YTK3J9V7EDDE8PEMBYMA9' }), signal);
  await reading.catchUp(signal);
  expect(reading.of('t').head).toMatchObject({ step: 1, verdict: 'fired' });
  expect(reading.of('t~c').head).toMatchObject({ step: 1, verdict: 'quiet' });
  expect(reading.decided.has({ step: 1, epoch: 0 })).toBe(true);
  expect(reading.decided.has({ step: 9, epoch: 0 })).toBe(false);
  const all = await RunLog.ofAllRuns(bus, { root: 't', generation: 1 }, signal);
  expect(all.get('tree')?.of('t~c').head?.step).toBe(1);
  expect(all.get('tree2')?.decided.has({ step: 9, epoch: 0, partition: '01M86YTK3J9V7EDDE8PEMBYMA9' })).toBe(true);
  expect((await RunLog.ofAllRuns(bus, { root: 't', generation: 2 }, signal)).size).toBe(0);
});
