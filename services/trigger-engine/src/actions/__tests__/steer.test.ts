import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { storedMessages } from '@tidegate/bus';
import { STREAMS, steerBodySchema, steerSubject } from '@tidegate/protocol';
import { perform } from '../perform.js';
import { type ActionBench, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
const { signal } = new AbortController();
const utf8 = new TextDecoder();

beforeAll(async () => {
  bench = await startActionBench();
});
afterAll(() => bench.end());

it('carries epoch, decision and action, so that what is not newer can be told', async () => {
  const decision = fired({}, [{ steer: { op: 'set', args: { dt: 0.1 } } }, { steer: { op: 'pause', args: {} } }]);
  for (let n = 0; n < 2; n++) await perform(bench.context, { decision, sequence: 12, root: 'hot', signal });
  const bodies: unknown[] = [];
  for await (const { data } of storedMessages(bench.context.bus, STREAMS.steering.name, {
    subject: steerSubject('r'),
  })) {
    bodies.push(steerBodySchema.parse(JSON.parse(utf8.decode(data))));
  }
  const common = { epoch: 1, decision: 12, trigger: 'hot', step: 7 };
  expect(bodies).toEqual([
    { op: 'set', args: { dt: 0.1 }, ...common, action: 0 },
    { op: 'pause', args: {}, ...common, action: 1 },
  ]);
});
