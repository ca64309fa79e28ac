import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Bus, connectBus, ensureStream, storedMessages } from '@tidegate/bus';
import { makeBox } from '@tidegate/geometry';
import { pointersOf, STREAMS } from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import { PointerPublisher } from '../pointer-publisher.js';
import { TriggerPointers } from '../trigger-pointers.js';
import { VariableIndex } from '../variable-index.js';
import { entryOf, ulid } from './painted.js';
import { triggerOf, variableOf } from './records.js';

const STREAM = STREAMS.pointers.name;
const variable = new VariableIndex(variableOf('v', [8]));
const entry = entryOf(7, makeBox([1], [5]), { epoch: 2, step: 3, stamp: 70 });

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'test' });
});

afterAll(async () => {
  await bus.close();
  await server.stop();
});

async function api(operation: string): Promise<void> {
  await bus.request(`$JS.API.STREAM.${operation}.${STREAM}`, new Uint8Array(), { timeoutMs: 5000 });
}

function triggers(count: number, primary = 2) {
  const table = new TriggerPointers();
  for (let n = 0; n < count; n++) table.set(`t${n}`, triggerOf(`t${n}`, variable.record, {}, { primary }));
  return table.matching(variable, entry, variable.map.touched);
}

async function stored(shard: number): Promise<{ subject: string; body: unknown }[]> {
  const found: { subject: string; body: unknown }[] = [];
  for await (const { subject, data } of storedMessages(bus, STREAM, { subject: pointersOf(shard) })) {
    found.push({ subject, body: JSON.parse(new TextDecoder().decode(data)) });
  }
  return found;
}

describe('with the stream', () => {
  beforeEach(async () => {
    await ensureStream(bus, STREAMS.pointers);
    await api('PURGE');
  });

  test('every trigger is told on its own subject, once the promise is kept', async () => {
    await new PointerPublisher({ bus }).publish(entry, triggers(2));
    const body = {
      variable: 'v',
      run: 'r',
      step: 3,
      epoch: 2,
      id: ulid(7),
      box: '1:5',
      bytes: 8,
      stamp: 70,
      raw: 'raw-a',
    };
    const messages = await stored(2);
    expect(messages.sort((a, b) => (a.subject < b.subject ? -1 : 1))).toEqual([
      { subject: 'tide.v1.pointer.2.t0', body: { trigger: 't0', ...body } },
      { subject: 'tide.v1.pointer.2.t1', body: { trigger: 't1', ...body } },
    ]);
  });

  test('the same partition again is told again', async () => {
    const publisher = new PointerPublisher({ bus });
    for (let n = 0; n < 3; n++) await publisher.publish(entry, triggers(1));
    expect(await stored(2)).toHaveLength(3);
  });

  test('more triggers than may be told at a time are told all the same', async () => {
    await new PointerPublisher({ bus, inFlightLimit: 256 }).publish(entry, triggers(700));
    expect(new Set((await stored(2)).map(({ subject }) => subject)).size).toBe(700);
  });

  test('what is beyond the limit is refused, and room comes back', async () => {
    const publisher = new PointerPublisher({ bus, inFlightLimit: 4 });
    const first = publisher.publish(entry, triggers(3));
    await expect(publisher.publish(entry, triggers(2))).rejects.toMatchObject({ code: 'BUSY', retryable: true });
    await first;
    await publisher.publish(entry, triggers(4));
    expect(await stored(2)).toHaveLength(7);
  });
});

describe('failures can be repeated', () => {
  test('no stream', async () => {
    await ensureStream(bus, STREAMS.pointers);
    await api('DELETE');
    const publisher = new PointerPublisher({ bus, inFlightLimit: 2 });
    for (let n = 0; n < 3; n++) {
      await expect(publisher.publish(entry, triggers(2))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('"t'),
      });
    }
  });

  test('no answer: it is unknown whether it was stored', async () => {
    const stop = bus.listen(pointersOf(2), () => {});
    const publisher = new PointerPublisher({ bus, timeoutMs: 20 });
    await expect(publisher.publish(entry, triggers(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    stop();
  });

  test('a full stream is told as such', async () => {
    await ensureStream(bus, { ...STREAMS.pointers, maxBytes: 300, discard: 'new' });
    const publisher = new PointerPublisher({ bus });
    const publishes = async () => {
      for (let n = 0; n < 5; n++) await publisher.publish(entry, triggers(1));
    };
    await expect(publishes()).rejects.toMatchObject({ code: 'STORAGE_FULL', retryable: true });
    await api('DELETE');
  });
});
