import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotFoundError, STREAMS } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { connectBus } from '../connect.js';
import type { StreamMessage } from '../ordered-consumer.js';
import { ensureStream, publishEvent, streamUse, type TailOptions, tail } from '../stream.js';

const EVENTS = STREAMS.events.name;

describe('streams', () => {
  let server: NatsServer;
  let bus: Bus;

  /** Follows the stream until `stop`; what it brought, as `n` of the bodies. */
  const follow = (options: TailOptions): { seen: number[]; stop: () => Promise<void> } => {
    const seen: number[] = [];
    const end = new AbortController();
    const done = (async () => {
      for await (const message of tail(bus, EVENTS, { ...options, signal: end.signal })) seen.push(numberOf(message));
    })();
    return {
      seen,
      stop: async () => {
        end.abort();
        await done;
      },
    };
  };

  const numberOf = ({ data }: StreamMessage): number => JSON.parse(new TextDecoder().decode(data)).n;
  const subject = (run: string): string => `tide.v1.event.run.${run}`;

  beforeAll(async () => {
    server = await startNatsServer();
    bus = await connectBus({ servers: server.url, name: 'streams' });
    await ensureStream(bus, STREAMS.events);
  });

  afterAll(async () => {
    await bus.close();
    await server.stop();
  });

  it('is created once, bounded', async () => {
    await ensureStream(bus, STREAMS.events);
    const use = await streamUse(bus, EVENTS);
    expect(use.maxBytes).toBe(STREAMS.events.maxBytes);
    await expect(streamUse(bus, 'NO_SUCH')).rejects.toThrow(NotFoundError);
  });

  it('stores an event once per id', async () => {
    const before = await streamUse(bus, EVENTS);
    const first = await publishEvent(bus, subject('ids'), { n: 1 }, { msgId: 'one' });
    const again = await publishEvent(bus, subject('ids'), { n: 1 }, { msgId: 'one', headers: { 'ce-id': 'one' } });
    expect(again).toMatchObject({ seq: first.seq, duplicate: true });
    const after = await streamUse(bus, EVENTS);
    expect(after.messages - before.messages).toBe(1);
    expect(after.bytes).toBeGreaterThan(before.bytes);
  });

  it('follows from the beginning, from now, and from a time, filtered by subject', async () => {
    for (let n = 0; n < 3; n++) await publishEvent(bus, subject('tail'), { n });
    // The server stamps to the millisecond at least; what follows is stored later.
    const { storedAt } = await lastOf('tail');
    await until(() => Date.now() > storedAt + 1);
    const since = new Date();
    await until(() => Date.now() > since.getTime() + 1);
    await publishEvent(bus, subject('other'), { n: 99 });
    await publishEvent(bus, subject('tail'), { n: 3 });
    const all = follow({ subject: subject('tail'), from: 'all' });
    const timed = follow({ subject: subject('tail'), from: since });
    const fresh = follow({ subject: subject('tail'), from: 'new' });
    await until(() => all.seen.length === 4 && timed.seen.length === 1);
    await publishEvent(bus, subject('tail'), { n: 4 });
    await until(() => all.seen.length === 5 && timed.seen.length === 2 && fresh.seen.length === 1);
    expect(all.seen).toEqual([0, 1, 2, 3, 4]);
    expect(timed.seen).toEqual([3, 4]);
    expect(fresh.seen).toEqual([4]);
    await Promise.all([all.stop(), timed.stop(), fresh.stop()]);
  });

  const lastOf = async (run: string): Promise<StreamMessage> => {
    let last: StreamMessage | undefined;
    for await (const message of tail(bus, EVENTS, { subject: subject(run), from: 'all' })) {
      last = message;
      if (numberOf(message) === 2) break;
    }
    if (!last) throw new Error('expected a message');
    return last;
  };

  it('goes on without gap or repetition after the server was killed', async () => {
    const followed = follow({ subject: subject('killed'), from: 'new' });
    await until(() => publishEvent(bus, subject('killed'), { n: 0 }).then(() => followed.seen.length > 0));
    await server.restart();
    for (let n = 1; n <= 20; n++)
      await until(() => publishEvent(bus, subject('killed'), { n }, { msgId: `killed-${n}` }));
    await until(() => followed.seen.at(-1) === 20);
    // Zeros are those that were published until one was seen: as many as it took.
    expect(followed.seen.filter((n) => n > 0)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    await followed.stop();
  });

  it('brings a large backlog to a slow reader, held back by flow control', async () => {
    const padding = 'x'.repeat(4000);
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          publishEvent(bus, subject('large'), { n: batch * 100 + index, padding }),
        ),
      );
    }
    let count = 0;
    for await (const message of tail(bus, EVENTS, { subject: subject('large'), from: 'all' })) {
      expect(message.header('absent')).toBe('');
      if (count % 100 === 0) await bus.flush();
      if (++count === 2000) break;
    }
    expect(count).toBe(2000);
  });
});
