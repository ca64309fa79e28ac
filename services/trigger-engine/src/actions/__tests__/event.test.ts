import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type StreamMessage, storedMessages } from '@tidegate/bus';
import { STREAMS, triggerEventSchema, triggerEventSubject } from '@tidegate/protocol';
import { CloudEvent, ValidationError } from 'cloudevents';
import { eventHeaders, publishFired } from '../event.js';
import { type ActionBench, fired, startActionBench } from './action-bench.js';

let bench: ActionBench;
const { signal } = new AbortController();
const utf8 = new TextDecoder();

beforeAll(async () => {
  bench = await startActionBench();
});
afterAll(() => bench.end());

async function events(run: string): Promise<StreamMessage[]> {
  const subject = triggerEventSubject({ run, trigger: 'hot', epoch: '*', step: '*' });
  const found: StreamMessage[] = [];
  for await (const message of storedMessages(bench.context.bus, STREAMS.events.name, { subject })) found.push(message);
  return found;
}

/** A CloudEvent out of the headers of binary mode, as the NATS binding maps them. */
function cloudEvent({ header, data }: StreamMessage): CloudEvent<unknown> {
  const attributes = Object.fromEntries(
    ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype'].map((name) => [
      name,
      header(`ce-${name}`),
    ]),
  );
  return new CloudEvent({ ...attributes, data: JSON.parse(utf8.decode(data)) });
}

it('is a valid CloudEvent in binary mode', async () => {
  const decision = fired({ run: 'valid' }, [{ emit: { data: { severity: 'warn' } } }]);
  await publishFired(bench.context, { decision, sequence: 41, signal });
  const [message] = await events('valid');
  if (message === undefined) throw new Error('no event');
  const event = cloudEvent(message);
  expect(event.validate()).toBe(true);
  expect(event).toMatchObject({
    specversion: '1.0',
    id: 'hot/2/valid/1/7',
    source: '/tidegate/trigger/hot',
    type: 'dev.tidegate.trigger.fired',
    subject: 'T/0:16,0:16',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
  });
  expect(triggerEventSchema.parse(event.data)).toEqual({
    run: 'valid',
    epoch: 1,
    step: 7,
    trigger: 'hot',
    generation: 2,
    variable: 'T',
    box: '0:16,0:16',
    values: { mx: 2.5, bad: 'NaN' },
    indicator: true,
    data: { severity: 'warn' },
    decision: 'hot/2/valid/1/7',
  });
  expect(message.header('content-type')).toBe('');
  expect(message.header('Tide-Decision')).toBe('41');
});

it('would not pass as a CloudEvent without its source', () => {
  const { 'ce-source': source, ...rest } = eventHeaders(fired(), 1);
  expect(source).toBe('/tidegate/trigger/hot');
  const attributes = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name.replace('ce-', ''), value]));
  expect(() => new CloudEvent({ ...attributes, source: '' } as never)).toThrow(ValidationError);
});

it('is published once, however often and by however many it is tried', async () => {
  const decision = fired({ run: 'once' });
  await Promise.all(Array.from({ length: 8 }, () => publishFired(bench.context, { decision, sequence: 7, signal })));
  await publishFired(bench.context, { decision, sequence: 7, signal });
  expect(await events('once')).toHaveLength(1);
});

it('comes after that of an earlier decision on the step, but not of a later one', async () => {
  const first = fired({ run: 'again', generation: 1 });
  const second = fired({ run: 'again', generation: 2 });
  await publishFired(bench.context, { decision: first, sequence: 5, signal });
  await publishFired(bench.context, { decision: second, sequence: 9, signal });
  await publishFired(bench.context, { decision: first, sequence: 5, signal });
  expect((await events('again')).map(({ header }) => header('Tide-Decision'))).toEqual(['5', '9']);
});

it('tells of every partition of a step', async () => {
  for (const [index, partition] of ['01A', '01B'].entries()) {
    await publishFired(bench.context, { decision: fired({ run: 'parts', partition }), sequence: 10 + index, signal });
  }
  expect((await events('parts')).map(({ header }) => header('ce-id'))).toEqual([
    'hot/2/parts/1/7/01A',
    'hot/2/parts/1/7/01B',
  ]);
});
