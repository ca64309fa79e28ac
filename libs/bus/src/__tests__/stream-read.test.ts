import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { STREAMS } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { connectBus } from '../connect.js';
import type { StreamMessage } from '../ordered-consumer.js';
import { ensureStreams } from '../stream.js';
import { append } from '../stream-append.js';
import { streamInfo } from '../stream-config.js';
import { lastMessage, messageAt, storedMessages } from '../stream-read.js';

const STREAM = STREAMS.decisions.name;
const subject = (name: string): string => `tide.v1.decision.${name}.1.default.${name}`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = ({ data }: StreamMessage): string => new TextDecoder().decode(data);

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'stream-read' });
  await Promise.all([ensureStreams(bus), ensureStreams(bus)]);
});

afterAll(async () => {
  await bus.close();
  await server.stop();
});

async function all(filter: string, options: { from?: number; headersOnly?: boolean } = {}): Promise<StreamMessage[]> {
  const found: StreamMessage[] = [];
  for await (const message of storedMessages(bus, STREAM, { subject: filter, ...options })) found.push(message);
  return found;
}

it('appends only after the message that was expected', async () => {
  const first = await append(bus, subject('a'), bytes('one'), { expected: 0, headers: { 'Tide-Step': '1' } });
  expect(first).toBeGreaterThan(0);
  expect(await append(bus, subject('a'), bytes('other'), { expected: 0 })).toBeUndefined();
  const second = await append(bus, subject('a'), bytes('two'), { expected: first ?? 0 });
  expect(await append(bus, subject('a'), bytes('other'), { expected: first ?? 0 })).toBeUndefined();
  const last = await lastMessage(bus, STREAM, subject('a'));
  expect(last && [last.sequence, textOf(last)]).toEqual([second, 'two']);
  const one = await messageAt(bus, STREAM, first ?? 0);
  expect(one && [textOf(one), one.header('Tide-Step'), one.header('Tide-Epoch')]).toEqual(['one', '1', '']);
  expect(Math.abs((one?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

it('knows of a subject without messages, and of a sequence that is not there', async () => {
  expect(await lastMessage(bus, STREAM, subject('none'))).toBeUndefined();
  expect(await messageAt(bus, STREAM, 1_000_000)).toBeUndefined();
  expect(await all(subject('none'))).toEqual([]);
});

it('reads what a subject holds and ends', async () => {
  const count = 3000;
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      append(bus, subject(`many${n % 3}`), bytes(`${n}`.padEnd(500)), { expected: 0 }).catch(() => undefined),
    ),
  );
  const first = await all('tide.v1.decision.*.1.default.*');
  const again = await all('tide.v1.decision.*.1.default.*', { from: first[2]?.sequence ?? 0, headersOnly: true });
  expect(again.map(({ sequence }) => sequence)).toEqual(first.slice(2).map(({ sequence }) => sequence));
  expect(again.every(({ data }) => data.length === 0)).toBe(true);
  let expected = first.find((message) => message.subject === subject('many0'))?.sequence ?? 0;
  for (let n = 0; n < 300; n++) {
    expected = (await append(bus, subject('many0'), bytes(`${n}`.padEnd(500)), { expected })) ?? 0;
  }
  const texts = (await all(subject('many0'))).map((message) => textOf(message).trim());
  expect(texts.slice(1)).toEqual(Array.from({ length: 300 }, (_, n) => `${n}`));
});

it('ends with the reason of its signal', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await expect(storedMessages(bus, STREAM, { subject: '>', signal: stop.signal }).next()).rejects.toThrow('enough');
});

it('leaves no consumer behind, of which a stream takes only so many', async () => {
  const before = (await streamInfo(bus, STREAM))?.state.consumer_count ?? 0;
  for (let reading = 0; reading < 20; reading++) await all(subject('a'));
  await bus.flush();
  const after = await until(
    async () => {
      const count = (await streamInfo(bus, STREAM))?.state.consumer_count ?? 0;
      return count <= before && { count };
    },
    { what: 'the consumers to go', timeoutMs: 2000 },
  );
  expect(after.count).toBeLessThanOrEqual(before);
});
