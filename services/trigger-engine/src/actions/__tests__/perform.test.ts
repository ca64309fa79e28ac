import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { lastMessage, type Subscribed, subscribe } from '@tidegate/bus';
import { BadRequestError, encodeBody, STREAMS, taskSubject, triggerEventSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { noteSettled, perform } from '../perform.js';
import { type ActionBench, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
let order: string[] = [];
const serving: Subscribed[] = [];
const { signal } = new AbortController();

beforeAll(async () => {
  bench = await startActionBench();
  for (const name of ['one', 'two', 'refuses']) {
    serving.push(
      subscribe(bench.context.bus, `ops.${name}`, () => {
        order.push(name);
        if (name === 'refuses') throw new BadRequestError('x', 'not I');
        return { data: encodeBody({}, 'json') };
      }),
    );
  }
});
afterAll(async () => {
  await Promise.all(serving.map((served) => served.stop()));
  await bench.end();
});
beforeEach(() => {
  order = [];
  bench.logged.length = 0;
});

const call = (name: string) => ({ call: { subject: `ops.${name}`, timeoutMs: 1000 } });
const log = (run: string) => ({ root: 'hot', trigger: 'hot', generation: 2, run });

it('does everything in order, past what fails, and notes that it is done', async () => {
  const decision = fired({ run: 'all' }, [
    call('one'),
    call('refuses'),
    { derive: { transform: { downsample: 2 }, to: 'S' } },
    call('two'),
    { task: { name: 'last', args: {} } },
  ]);
  await perform(bench.context, { decision, sequence: 30, root: 'hot', signal });
  expect(order).toEqual(['one', 'refuses', 'two']);
  expect(bench.logged.map(({ level, message }) => [level, message])).toEqual([
    ['error', 'an action failed: the responder did not confirm the call'],
    ['error', 'an action failed: its derived data may not be complete'],
  ]);
  expect(bench.logged[0]?.fields).toMatchObject({ decision: 'hot/2/all/1/7', action: 'hot/2/all/1/7#1' });
  const { bus } = bench.context;
  expect(await lastMessage(bus, STREAMS.tasks.name, taskSubject('last'))).toBeDefined();
  expect(await lastMessage(bus, STREAMS.events.name, triggerEventSubject(decision))).toBeDefined();
  await until(async () => (await bench.context.settled.read(log('all'))) === 30);
});

it('leaves nested triggers, and the note that all is done, to its caller', async () => {
  const trigger = { name: 'confirm', check: {}, compare: {} as never, action: [] };
  const decision = fired({ run: 'nested' }, [call('one'), { trigger }]);
  await perform(bench.context, { decision, sequence: 31, root: 'hot', signal });
  expect(order).toEqual(['one']);
  noteSettled(bench.context, { decision: fired({ run: 'marker' }, [call('two')]), sequence: 1, root: 'hot' });
  await until(async () => (await bench.context.settled.read(log('marker'))) === 1);
  expect(await bench.context.settled.read(log('nested'))).toBe(0);
  noteSettled(bench.context, { decision, sequence: 31, root: 'hot' });
  await until(async () => (await bench.context.settled.read(log('nested'))) === 31);
});

it('does nothing for a decision that did not fire, and nothing once its signal aborts', async () => {
  await perform(bench.context, { decision: fired({ outbox: [] }), sequence: 32, root: 'hot', signal });
  const ended = AbortSignal.abort(new Error('the lease is lost'));
  const decision = fired({ run: 'ended' }, [call('one')]);
  await expect(perform(bench.context, { decision, sequence: 33, root: 'hot', signal: ended })).rejects.toThrow('lease');
  expect(order).toEqual([]);
  expect(bench.logged).toEqual([]);
});
