import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Subscribed, subscribe } from '@tidegate/bus';
import { BadRequestError, UnavailableError } from '@tidegate/protocol';
import { bodyOf } from '../../measure/__tests__/fake-staging.js';
import { callOutside } from '../call.js';
import { type ActionBench, entryOf, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
const serving: Subscribed[] = [];
const { signal } = new AbortController();

beforeAll(async () => {
  bench = await startActionBench();
});
afterAll(async () => {
  await Promise.all(serving.map((served) => served.stop(100)));
  await bench.end();
});

function respond(subject: string, answer: (attempt: number) => Uint8Array | Promise<Uint8Array>): unknown[] {
  const asked: unknown[] = [];
  serving.push(
    subscribe(bench.context.bus, subject, async (request) => {
      asked.push({ ...bodyOf<object>(request), activity: request.header('Tide-Activity') });
      return { data: await answer(asked.length) };
    }),
  );
  return asked;
}

async function call(subject: string, timeoutMs = 2000): Promise<void> {
  const decision = fired({}, [{ call: { subject, timeoutMs } }]);
  await callOutside(bench.context, entryOf(decision, 'call'), { decision, sequence: 1, signal });
}

it('sends the event with an idempotency key', async () => {
  const asked = respond('ops.page', () => new Uint8Array());
  await call('ops.page');
  const id = 'hot/2/r/1/7#0';
  expect(asked).toEqual([expect.objectContaining({ step: 7, trigger: 'hot', idempotencyKey: id, activity: id })]);
});

it('tries three times where nobody answers in time', async () => {
  const asked = respond('ops.silent', () => new Promise(() => {}));
  await expect(call('ops.silent', 20)).rejects.toThrow('within 20 ms');
  expect(asked).toHaveLength(3);
  await expect(call('ops.nobody')).rejects.toThrow('nobody answers');
});

it('goes on until the responder is well, but not against its refusal', async () => {
  const asked = respond('ops.flaky', (attempt) => {
    if (attempt < 3) throw new UnavailableError('not yet', 0);
    return new Uint8Array();
  });
  await call('ops.flaky');
  expect(asked).toHaveLength(3);
  const refused = respond('ops.refuses', () => {
    throw new BadRequestError('step', 'not this one');
  });
  await expect(call('ops.refuses')).rejects.toThrow('not this one');
  expect(refused).toHaveLength(1);
});
