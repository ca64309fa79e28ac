import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bus, connectBus, openBucket } from '@tidegate/bus';
import { type Epoch, type PinRecord, pinKey, type RunRecord, UnknownVariableError } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { Catalog } from '../catalog.js';
import { RawBench } from './raw-bench.js';
import { sampleTrigger } from './trigger-samples.js';

let bench: RawBench;
let bus: Bus;

beforeAll(async () => {
  bench = await RawBench.start();
  bus = await connectBus({ servers: bench.server.url, name: 'catalog' });
});
afterAll(async () => {
  await bus.close();
  await bench.stop();
});

describe('Catalog', () => {
  test('knows variables, epochs and pins, and looks up a variable that it has not heard of', async () => {
    const catalog = await Catalog.open(bus);
    await expect(catalog.variable('T')).rejects.toBeInstanceOf(UnknownVariableError);
    const record = await bench.declare('T');
    expect((await catalog.variable('T')).record).toEqual(record);
    const pins = await openBucket<PinRecord>(bench.bus, 'pins');
    const revision = await pins.put(pinKey('T', 'r', 3), { at: '' });
    await catalog.caches.pins?.waitFor(revision, 5000);
    expect([catalog.isPinned('T', 'r', 3), catalog.isPinned('T', 'r', 4)]).toEqual([true, false]);
    const runs = await openBucket<RunRecord>(bench.bus, 'runs');
    const standing = [
      { epoch: 1, toStep: 5 },
      { epoch: 2, toStep: 20 },
    ];
    const rolled = await runs.put('r', { run: 'r', epoch: 2, toStep: 20, at: '', standing });
    await catalog.caches.runs?.waitFor(rolled, 5000);
    expect([catalog.epoch('r'), catalog.epoch('s')]).toEqual([2, 0]);
    const put = (step: number, epoch: number) => ({ variable: 'T', run: 'r', step, epoch: epoch as Epoch });
    expect([put(5, 0), put(6, 0), put(20, 1), put(21, 1), put(21, 2)].map((one) => catalog.isSuperseded(one))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    await catalog.stop();
  });

  test('tells its follower what changed, and which triggers are on a variable as it is declared now', async () => {
    const { createdAt } = await bench.declare('U', { createdAt: 'first' });
    await bench.trigger(sampleTrigger('standing', { variable: 'U', variableCreatedAt: createdAt }));
    const catalog = await Catalog.open(bus);
    const heard: string[] = [];
    catalog.follow({
      changed: () => heard.push('changed'),
      triggers: (variable) => heard.push(`triggers ${variable}`),
      run: (run) => heard.push(`run ${run}`),
    });
    const names = () => catalog.triggersOn('U').map(({ name }) => name);
    expect([names(), heard, catalog.isCurrent]).toEqual([['standing'], [], true]);
    const revision = await bench.trigger(sampleTrigger('later', { variable: 'U', variableCreatedAt: 'second' }));
    await catalog.caches.triggers?.waitFor(revision, 5000);
    expect([names(), heard]).toEqual([['standing'], ['triggers U']]);
    await bench.declare('U', { createdAt: 'second' });
    await until(() => heard.length === 2);
    expect(names()).toEqual(['later']);
    await bench.rollBack('q', 1, 0);
    await until(() => heard.length === 3);
    expect(heard.slice(1)).toEqual(['changed', 'run q']);
    await catalog.stop();
  });

  test('is not current while the connection is lost, and says so when it is again', async () => {
    const catalog = await Catalog.open(bus);
    let changes = 0;
    catalog.follow({ changed: () => changes++, triggers: () => undefined, run: () => undefined });
    await bench.server.kill('SIGKILL');
    await until(() => !catalog.isCurrent);
    const before = changes;
    await bench.server.restart();
    await until(() => catalog.isCurrent && changes > before);
    await catalog.stop();
  });
});
