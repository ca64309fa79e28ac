import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { publishEvent } from '@tidegate/bus';
import { PUBLIC, steerSubject, taskSubject, triggerEventSubject } from '@tidegate/protocol';
import { connect } from '../connect.js';
import type { Tidegate } from '../tidegate.js';
import { answering, type BusFixture, busFixture, eventBody } from './bus-fixture.js';

let fixture: BusFixture;
let client: Tidegate;
beforeAll(async () => {
  fixture = await busFixture();
  client = await connect({ servers: fixture.server.url });
});
afterAll(async () => {
  await client.close();
  await fixture.stop();
});

it('one connection serves triggers, kernels, events, tasks and steering', async () => {
  const { bus } = fixture;
  answering(bus, PUBLIC.triggerList, () => ({ triggers: [] }));
  answering(bus, PUBLIC.kernelList, () => ({ kernels: [] }));
  expect([await client.triggers.list(), await client.kernels.list()]).toEqual([[], []]);

  const steer = { op: 'pause', args: {}, epoch: 0, decision: 3, action: 1, trigger: 'hot', step: 7 };
  await publishEvent(bus, steerSubject('r'), steer);
  for await (const told of client.run('r').steering()) {
    expect(told).toEqual(steer);
    break;
  }

  const headers = { 'ce-id': 'hot/1/r/0/7', 'Tide-Decision': '3' };
  await publishEvent(bus, triggerEventSubject({ run: 'r', trigger: 'hot', epoch: 0, step: 7 }), eventBody(), {
    headers,
  });
  for await (const { id, data } of client.events({ trigger: 'hot', from: 'all' })) {
    expect([id, data]).toEqual(['hot/1/r/0/7', eventBody()]);
    break;
  }

  for (const n of [1, 2]) {
    const body = { ...eventBody(), args: { n }, attempt: 1, idempotencyKey: `key-${n}` };
    await publishEvent(bus, taskSubject('render'), body);
  }
  for await (const task of client.tasks('render')) {
    expect(task.body.args).toEqual({ n: 1 });
    await task.ack();
    break;
  }
  const stop = new AbortController();
  const done: unknown[] = [];
  const handler = ({ args }: { readonly args: unknown }): void => {
    done.push(args);
  };
  await client.work('render', handler, { signal: stop.signal, onOutcome: () => stop.abort() });
  expect(done).toEqual([{ n: 2 }]);
});
