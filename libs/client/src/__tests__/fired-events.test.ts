import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { publishEvent } from '@tidegate/bus';
import { storageEventSubject, triggerEventSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { type EventsOptions, type FiredEvent, firedEvent, firedEvents } from '../fired-events.js';
import { type BusFixture, busFixture, eventBody, utf8 } from './bus-fixture.js';

let fixture: BusFixture;
beforeAll(async () => {
  fixture = await busFixture();
});
afterAll(() => fixture.stop());

function headersOf(id: string, decision: number) {
  return {
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/tidegate/trigger/hot',
    'ce-type': 'tidegate.trigger.fired',
    'ce-subject': 'T/0:4',
    'ce-time': '2026-11-24T00:00:00Z',
    'Tide-Decision': String(decision),
  };
}

async function fire(trigger: string, run: string, step: number): Promise<void> {
  const id = `${trigger}/1/${run}/0/${step}`;
  const body = eventBody({ trigger, run, step, decision: id });
  const subject = triggerEventSubject({ trigger, run, epoch: 0, step });
  await publishEvent(fixture.bus, subject, body, { headers: headersOf(id, step + 100) });
}

function following(options: EventsOptions) {
  const stop = new AbortController();
  const seen: FiredEvent[] = [];
  const done = (async () => {
    for await (const event of firedEvents(fixture.bus, { ...options, signal: stop.signal })) seen.push(event);
  })();
  return {
    seen,
    ids: () => seen.map(({ id }) => id),
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

it('tells the attributes of a CloudEvent and its body', async () => {
  await fire('hot', 'one', 3);
  for await (const event of firedEvents(fixture.bus, { from: 'all', run: 'one' })) {
    expect(event).toEqual({
      specversion: '1.0',
      id: 'hot/1/one/0/3',
      source: '/tidegate/trigger/hot',
      type: 'tidegate.trigger.fired',
      subject: 'T/0:4',
      time: '2026-11-24T00:00:00Z',
      decision: 103,
      data: eventBody({ run: 'one', step: 3, decision: 'hot/1/one/0/3' }),
    });
    break;
  }
});

it('follows all or one trigger or one run, from the beginning or from now, and passes over what is no event', async () => {
  await fire('hot', 'a', 1);
  await publishEvent(fixture.bus, triggerEventSubject({ trigger: 'hot', run: 'a', epoch: 0, step: 2 }), { odd: 1 });
  await publishEvent(fixture.bus, storageEventSubject('raw-1'), eventBody());
  await fire('hot~confirm', 'b', 2);
  const all = following({ from: 'all' });
  const nested = following({ from: 'all', trigger: 'hot~confirm' });
  const run = following({ from: 'all', run: 'a' });
  const fresh = following({});
  await until(() => all.seen.length === 3 && nested.seen.length === 1 && run.seen.length === 1);
  await until(async () => {
    await fire('hot', 'c', 100 + all.seen.length);
    return fresh.seen.length > 0;
  });
  await Promise.all([all, nested, run, fresh].map(({ stop }) => stop()));
  expect(all.ids().slice(0, 3)).toEqual(['hot/1/one/0/3', 'hot/1/a/0/1', 'hot~confirm/1/b/0/2']);
  expect(nested.ids()).toEqual(['hot~confirm/1/b/0/2']);
  expect(run.ids()).toEqual(['hot/1/a/0/1']);
  expect(fresh.ids().every((id) => id.startsWith('hot/1/c/'))).toBe(true);
});

it('reads nothing into a message without an id or with another body', () => {
  const header = (name: string): string => (headersOf('i', 1) as Record<string, string>)[name] ?? '';
  const data = utf8.encode(JSON.stringify(eventBody()));
  expect(firedEvent({ data, header })?.id).toBe('i');
  expect(firedEvent({ data, header: () => '' })).toBeUndefined();
  expect(firedEvent({ data: utf8.encode('{'), header })).toBeUndefined();
});
