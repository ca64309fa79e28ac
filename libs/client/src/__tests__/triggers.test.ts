import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { append } from '@tidegate/bus';
import { type DecisionReply, decisionSubject, PUBLIC, UnknownTriggerError } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { type Triggers, triggerCalls } from '../triggers.js';
import { answering, type BusFixture, busFixture, callOver, utf8 } from './bus-fixture.js';

let fixture: BusFixture;
let triggers: Triggers;
beforeAll(async () => {
  fixture = await busFixture();
  triggers = triggerCalls(fixture.bus, callOver(fixture.bus));
});
afterAll(() => fixture.stop());

function decision(step: number, details: Partial<DecisionReply> = {}): DecisionReply {
  return {
    run: 'r',
    epoch: 0,
    step,
    trigger: 'hot~confirm',
    generation: 1,
    verdict: 'quiet',
    state: 'inactive',
    late: false,
    indicator: false,
    values: { mx: step },
    reason: 'the condition does not hold',
    committedAt: '2026-11-24T00:00:00Z',
    ...details,
  };
}

async function log(step: number, expected: number, details: Partial<DecisionReply> = {}): Promise<number> {
  const logged = { ...decision(step, details), failures: {}, after: {}, outbox: [], variable: 'T', box: '0:4' };
  const { run, generation } = logged;
  const subject = decisionSubject({ root: 'hot', generation, run, trigger: 'hot~confirm' });
  const body = utf8.encode(JSON.stringify(logged));
  return (await append(fixture.bus, subject, body, { expected })) ?? -1;
}

describe('calls', () => {
  it('send what the contract says', async () => {
    const { bus } = fixture;
    const registered = { name: 'hot', generation: 1, primary: 0, shards: [0] };
    const register = answering(bus, PUBLIC.triggerRegister, () => registered);
    const list = answering(bus, PUBLIC.triggerList, () => ({ triggers: [registered] }));
    const definition = { name: 'hot', on: { variable: 'T' } };
    expect(await triggers.register(definition)).toEqual(registered);
    expect(await triggers.list()).toEqual([registered]);
    expect(await triggers.list({ variable: 'T', timeoutMs: 1000 })).toEqual([registered]);
    expect([register, list]).toEqual([[definition], [{}, { variable: 'T' }]]);

    const named = [PUBLIC.triggerGet, PUBLIC.triggerEnable, PUBLIC.triggerDisable, PUBLIC.triggerDelete];
    const requests = named.map((subject) => answering(bus, subject, () => ({ subject })));
    expect([
      await triggers.get('hot'),
      await triggers.enable('hot'),
      await triggers.disable('hot'),
      await triggers.delete('hot', { timeoutMs: 1000 }),
    ]).toEqual(named.map((subject) => ({ subject })));
    expect(requests).toEqual(named.map(() => [{ name: 'hot' }]));

    const test = answering(bus, PUBLIC.triggerTest, () => ({ decisions: [], notCovered: [] }));
    const explain = answering(bus, PUBLIC.triggerExplain, () => ({ reason: 'why' }));
    await triggers.test({ definition, steps: '0:3', timeoutMs: 1000 });
    await triggers.explain({ name: 'hot', step: 3, run: 'r', generation: 2 });
    expect([test, explain]).toEqual([
      [{ definition, steps: '0:3' }],
      [{ name: 'hot', step: 3, run: 'r', generation: 2 }],
    ]);
  });

  it('throw the typed error of the reply', async () => {
    answering(fixture.bus, 'test.none', () => {
      throw new UnknownTriggerError('none', 'there is no trigger "none"');
    });
    const elsewhere = triggerCalls(fixture.bus, (_, body, options) =>
      callOver(fixture.bus)('test.none', body, options),
    );
    await expect(elsewhere.get('none')).rejects.toThrow(UnknownTriggerError);
  });
});

it('decisions come page by page', async () => {
  const pages = [
    { decisions: [decision(0), decision(1)], cursor: 'two' },
    { decisions: [], cursor: 'three' },
    { decisions: [decision(2)] },
  ];
  const requests = answering(fixture.bus, PUBLIC.triggerDecisions, ({ cursor }) =>
    cursor === undefined ? pages[0] : pages[cursor === 'two' ? 1 : 2],
  );
  const steps: number[] = [];
  for await (const { step } of triggers.decisions({ name: 'hot', run: 'r', from: 0 })) steps.push(step);
  expect(steps).toEqual([0, 1, 2]);
  const common = { name: 'hot', run: 'r', from: 0, limit: 1000 };
  expect(requests).toEqual([common, { ...common, cursor: 'two' }, { ...common, cursor: 'three' }]);
  requests.length = 0;
  expect(await triggers.decisionsPage({ name: 'hot', limit: 2, cursor: 'two' })).toEqual(pages[1]);
  expect(requests).toEqual([{ name: 'hot', limit: 2, cursor: 'two' }]);
});

it('followed decisions are those of the log, then the new ones', async () => {
  const one = await log(1, 0);
  const two = await log(4, one, { verdict: 'unknown', indicator: null, late: true });
  await log(9, 0, { generation: 2 });
  await log(9, 0, { run: 'other' });
  const subject = decisionSubject({ root: 'hot', generation: 1, run: 'r', trigger: 'hot~confirm' });
  const rubbish = await append(fixture.bus, subject, utf8.encode('no decision'), { expected: two });

  const stop = new AbortController();
  const seen: DecisionReply[] = [];
  const request = { name: 'hot~confirm', run: 'r', generation: 1, from: 2, signal: stop.signal };
  const following = (async () => {
    for await (const found of triggers.followDecisions(request)) seen.push(found);
  })();
  await until(() => seen.length === 1);
  const three = await log(5, rubbish ?? -1);
  await until(() => seen.length === 2);
  stop.abort();
  await following;
  expect(seen).toEqual([
    { ...decision(4, { verdict: 'unknown', indicator: null, late: true }), sequence: two },
    { ...decision(5), sequence: three },
  ]);

  const all: (readonly [string, number])[] = [];
  for await (const { run, generation } of triggers.followDecisions({ name: 'hot~confirm' })) {
    if (all.push([run, generation]) === 5) break;
  }
  expect(all).toEqual([
    ['r', 1],
    ['r', 1],
    ['r', 2],
    ['other', 1],
    ['r', 1],
  ]);
});
