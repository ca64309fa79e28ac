import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Subscribed, subscribe } from '@tidegate/bus';
import { encodeBody, PUBLIC, pinSchema, UnavailableError } from '@tidegate/protocol';
import { bodyOf } from '../../measure/__tests__/fake-staging.js';
import { pinSteps } from '../pin.js';
import { type ActionBench, entryOf, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
let served: Subscribed;
const asked: unknown[] = [];
const { signal } = new AbortController();

beforeAll(async () => {
  bench = await startActionBench();
  served = subscribe(bench.context.bus, PUBLIC.pin, (request) => {
    asked.push(pinSchema.parse(bodyOf(request)));
    if (asked.length === 1) throw new UnavailableError('no owner now', 0);
    return { data: encodeBody({}, 'json') };
  });
});
afterAll(async () => {
  await served.stop();
  await bench.end();
});

it('pins the step and those before it, none below 0, and tries again', async () => {
  for (const steps of [3, 10]) {
    const decision = fired({}, [{ pin: { steps } }]);
    await pinSteps(bench.context, entryOf(decision, 'pin'), { decision, sequence: 1, signal });
  }
  const common = { variable: 'T', run: 'r', reason: 'trigger decision hot/2/r/1/7' };
  expect(asked).toEqual([
    { ...common, steps: '5:8' },
    { ...common, steps: '5:8' },
    { ...common, steps: '0:8' },
  ]);
});
