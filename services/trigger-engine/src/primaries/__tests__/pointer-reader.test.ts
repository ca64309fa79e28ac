import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bus, connectBus, ensureStreams, publishEvent } from '@tidegate/bus';
import { type PointerMessage, pointerSubject } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import { PointerReader } from '../pointer-reader.js';

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'reader-test' });
  await ensureStreams(bus);
});
afterAll(async () => {
  await bus.close();
  await server.stop();
});

async function point(shard: number, step: number): Promise<number> {
  return (await publishEvent(bus, pointerSubject(shard, 't'), { trigger: 't', step })).seq;
}

test('reads what comes from its opening on, of its shard, and says how far it is', async () => {
  await point(3, 1);
  const seen: number[] = [];
  const onPointer = ({ step }: PointerMessage) => seen.push(step);
  let gaps = 0;
  const reader = await PointerReader.open(bus, { shard: 3, onPointer, onGap: () => gaps++ });
  await point(4, 2);
  const last = await point(3, 3);
  expect(await reader.reached(last, 5000)).toBe(true);
  expect(await reader.reached(last - 2, 0)).toBe(true);
  expect(await reader.reached(last + 1, 10)).toBe(false);
  expect([seen, gaps]).toEqual([[3], 0]);

  await server.restart();
  const after = await until(() => point(3, 5).catch(() => undefined), { what: 'the broker to take pointers again' });
  expect(await reader.reached(after, 10_000)).toBe(true);
  expect(seen).toEqual([3, 5]);
  // Something may have been dropped in between: whoever follows looks at the shards.
  expect(gaps).toBeGreaterThan(0);
  reader.stop();
}, 30_000);

test('a pointer that cannot be read stops nothing', async () => {
  const seen: number[] = [];
  const reader = await PointerReader.open(bus, {
    shard: 7,
    onPointer: ({ step }) => {
      if (step === 1) throw new Error('a bad one');
      seen.push(step);
    },
    onGap: () => {},
  });
  await point(7, 1);
  expect(await reader.reached(await point(7, 2), 5000)).toBe(true);
  expect(seen).toEqual([2]);
  reader.stop();
});
