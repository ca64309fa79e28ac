import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Bus, connectBus, OwnerTable, ShardRouter, silentLogger, subscribe } from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import { formatBox, parseBox } from '@tidegate/geometry';
import { decodeBody, encodeBody, rawSubject } from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import { FakeShards } from '../../__tests__/fake-shards.js';
import { variableRecord } from '../../__tests__/records.js';
import { Surveyor } from '../surveyor.js';

const RECORD = variableRecord({ shards: 4 });

let server: NatsServer;
let bus: Bus;
let shards: FakeShards;
let owners: OwnerTable;
let surveyor: Surveyor;
const variable: VariableHandle = variableHandle(RECORD);

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'survey-test' });
  shards = await FakeShards.start(server.url, RECORD);
  owners = OwnerTable.open(bus);
  surveyor = new Surveyor({
    bus,
    router: new ShardRouter(bus, owners),
    logger: silentLogger,
    variable: () => Promise.resolve(variable),
  });
  subscribe(shards.bus, rawSubject('raw-a', 'lookup'), ({ data }) => {
    const found = shards.entries.find(({ id }) => id === decodeBody(data).map['id']);
    const reply = found ? { state: 'stored', reply: { box: formatBox(found.box) } } : { state: 'absent' };
    return { data: encodeBody(reply, 'json') };
  });
  await shards.bus.flush();
});
afterAll(async () => {
  owners.close();
  await bus.close();
  await shards.end();
  await server.stop();
});
beforeEach(() => {
  shards.entries = [];
  shards.absent = [];
  shards.page = 1000;
});

test.each([1000, 3, 1])('tells runs, staged and covered steps, in pages of %i', async (page) => {
  shards.page = page;
  for (let step = 0; step < 10; step++) shards.stage({ run: 'a', step, box: step % 3 === 0 ? '0:4' : '0:8' });
  shards.stage({ run: 'b', step: 50 });
  expect(await surveyor.runs(variable)).toEqual(new Set(['a', 'b']));
  expect(await surveyor.staged(variable, 'a')).toEqual(new Set(Array(10).keys()));
  expect(await surveyor.covered({ variable, run: 'a', box: parseBox('0:8') })).toEqual([1, 2, 4, 5, 7, 8]);
  expect(await surveyor.covered({ variable, run: 'a', box: parseBox('1:3') })).toEqual([...Array(10).keys()]);
  expect(await surveyor.covered({ variable, run: 'c', box: parseBox('1:3') })).toEqual([]);
});

test.each([1000, 1])('finds the partitions that touch a box, in pages of %i', async (page) => {
  shards.page = page;
  const [first, second, third] = [
    shards.stage({ run: 'a', step: 2, box: '0:4' }),
    shards.stage({ run: 'a', step: 1, box: '2:8' }),
    shards.stage({ run: 'a', step: 1, box: '6:8' }),
  ];
  const asked = { variable, run: 'a', box: parseBox('0:5') };
  const found = await surveyor.partitions(asked, () => true);
  expect(found.map(({ id, step }) => [id, step])).toEqual([
    [second.id, 1],
    [first.id, 2],
  ]);
  expect((await surveyor.partitions(asked, (id) => id !== first.id)).map(({ id }) => id)).toEqual([second.id]);
  expect(third.step).toBe(1);
});

test('knows whether a rollback is through', async () => {
  shards.stage({ run: 'a', step: 5, epoch: 0 });
  shards.stage({ run: 'a', step: 6, epoch: 1 });
  expect(await surveyor.superseded(variable, 'a', { above: 4, epoch: 1 })).toBe(true);
  expect(await surveyor.superseded(variable, 'a', { above: 5, epoch: 1 })).toBe(false);
  expect(await surveyor.superseded(variable, 'a', { above: Number.MAX_SAFE_INTEGER, epoch: 1 })).toBe(false);
});

test('waits for an inventory that is missing', async () => {
  shards.absent = ['raw-b'];
  shards.stage({ run: 'a', step: 1 });
  const before = shards.asked.get('covered') ?? 0;
  const covered = surveyor.covered({ variable, run: 'a', box: variable.domain });
  while ((shards.asked.get('covered') ?? 0) < before + 2) await bus.flush();
  shards.absent = [];
  expect(await covered).toEqual([1]);
});
