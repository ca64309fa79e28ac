import { describe, expect, test } from '@jest/globals';
import { boxOfShape, parseBox } from '@tidegate/geometry';
import { TimeoutError, type VariableRecord } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import type { Region } from '../region-planner.js';
import { RegionWaits, type WaitOptions } from '../region-waits.js';
import { variableHandle } from '../variable-handle.js';

interface Got {
  readonly data: Uint8Array;
}

const SHAPE = [8, 8];
const LONG_MS = 60_000;

function declared(createdAt = '2026-01-01T00:00:00Z'): Region['variable'] {
  const record: VariableRecord = {
    name: 'T',
    dtype: 'uint8',
    shape: SHAPE,
    window: 10,
    onEvict: 'spill',
    durability: 'memory',
    annotation: 'optional',
    createdAt,
    shards: 1,
  };
  return variableHandle(record);
}

interface Begun {
  readonly region: Region;
  readonly options: WaitOptions;
  readonly end: (reply: Got) => void;
  readonly fail: (error: Error) => void;
}

/** Reads that end when the test says so. */
function controlled(pace?: () => Promise<void> | undefined) {
  const begun: Begun[] = [];
  const waits = new RegionWaits<Got>({
    read: (region, options) =>
      new Promise((resolve, reject) => begun.push({ region, options, end: resolve, fail: reject })),
    ...(pace && { pace }),
  });
  const read = (at: number): Begun => {
    const found = begun[at];
    if (!found) throw new Error(`expected read ${at} to have begun, got ${begun.length} reads`);
    return found;
  };
  return { waits, begun, read };
}

const region = (variable = declared(), box = boxOfShape(SHAPE), step = 0): Region => ({
  variable,
  run: 'default',
  step,
  box,
});
const wait = (waitMs = LONG_MS): WaitOptions => ({ waitMs, deadline: performance.now() + waitMs + 1000 });
const reply = (value: number): Got => ({ data: Uint8Array.of(value) });
/** All that follows without timers or I/O has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('equal gets', () => {
  test('the first one reads at once; those who come meanwhile share one read that begins after all of them came', async () => {
    const { waits, begun, read } = controlled();
    const asked = region();
    const first = waits.get(asked, wait());
    expect(begun).toHaveLength(1);
    const others = Array.from({ length: 999 }, () => waits.get(asked, wait()));
    await settled();
    expect(begun).toHaveLength(1);
    read(0).end(reply(1));
    expect((await first).data[0]).toBe(1);
    await settled();
    expect(begun).toHaveLength(2);
    const late = waits.get(asked, wait());
    const shared = reply(2);
    read(1).end(shared);
    expect((await Promise.all(others)).every((got) => got === shared)).toBe(true);
    await settled();
    // It came when the second read was under way, which may have been planned before.
    read(2).end(reply(3));
    expect((await late).data[0]).toBe(3);
    await settled();
    expect(begun).toHaveLength(3);
    waits.get(asked, wait()).catch(() => {});
    expect(begun).toHaveLength(4);
  });

  test('nobody gets what was read before it asked, and of a region there is one read at a time', async () => {
    const random = seededRandom(7);
    const regions = [0, 1, 2].map((step) => region(declared(), undefined, step));
    const running = new Map<Region, number>();
    let now = 0;
    let reads = 0;
    const waits = new RegionWaits<number>({
      read: async (asked) => {
        const began = now;
        reads++;
        running.set(asked, (running.get(asked) ?? 0) + 1);
        expect(running.get(asked)).toBe(1);
        for (let turns = random.int(1, 8); turns > 0; turns--) await settled();
        running.set(asked, 0);
        if (random.int(0, 4) === 0) throw new TimeoutError(String(began));
        return began;
      },
    });
    const gets: Promise<void>[] = [];
    for (let turn = 0; turn < 300; turn++) {
      for (const asked of regions) {
        for (let count = random.int(0, 4); count > 0; count--) {
          const askedAt = ++now;
          const began = waits.get(asked, wait()).then(
            (at) => at,
            (error: Error) => Number(error.message),
          );
          gets.push(began.then((at) => expect(at).toBeGreaterThanOrEqual(askedAt)));
        }
      }
      await settled();
    }
    await Promise.all(gets);
    expect(reads).toBeLessThan(gets.length / 2);
  });

  test('other steps, boxes and declarations of a variable are other gets', () => {
    const { waits, begun } = controlled();
    const variable = declared();
    const asked = [
      region(variable),
      region(variable, parseBox('0:8,0:4')),
      region(variable, undefined, 1),
      { ...region(variable), run: 'r' },
      region(declared('2026-01-02T00:00:00Z')),
    ];
    for (const one of asked) waits.get(one, wait()).catch(() => {});
    expect(begun.map((read) => read.region)).toEqual(asked);
  });

  test('an error is that of all who shared the read, and not of those who came later', async () => {
    const { waits, read } = controlled();
    const asked = region();
    const first = waits.get(asked, wait());
    const second = waits.get(asked, wait());
    const error = new TimeoutError('first');
    read(0).fail(error);
    await expect(first).rejects.toBe(error);
    await settled();
    const third = waits.get(asked, wait());
    read(1).fail(new TimeoutError('second'));
    await expect(second).rejects.toThrow('second');
    await settled();
    read(2).end(reply(3));
    expect((await third).data[0]).toBe(3);
  });
});

describe('waits of different lengths', () => {
  test('a shared read waits for the longest', async () => {
    const { waits, read } = controlled();
    const asked = region();
    const gets = [100, LONG_MS, 200].map((waitMs) => waits.get(asked, wait(waitMs)));
    read(0).end(reply(1));
    await settled();
    expect(read(1).options.waitMs).toBeGreaterThan(LONG_MS - 1000);
    expect(read(1).options.deadline).toBeGreaterThan(performance.now() + LONG_MS - 1000);
    read(1).end(reply(2));
    expect((await Promise.all(gets)).map(({ data }) => data[0])).toEqual([1, 2, 2]);
  });

  test('who may wait no longer asks for itself and leaves the others waiting', async () => {
    const began: WaitOptions[] = [];
    const ended = Promise.withResolvers<Got>();
    const waits = new RegionWaits<Got>({
      read: (_, options) => {
        began.push(options);
        return options.waitMs > 1 ? ended.promise : Promise.reject(new TimeoutError('nothing came'));
      },
    });
    const asked = region();
    const patient = [waits.get(asked, wait()), waits.get(asked, wait())];
    const options = wait(10);
    const start = performance.now();
    await expect(waits.get(asked, options)).rejects.toThrow('nothing came');
    expect(performance.now() - start).toBeGreaterThanOrEqual(9);
    expect(began.at(-1)).toEqual({ waitMs: 1, deadline: options.deadline });
    ended.resolve(reply(5));
    expect((await Promise.all(patient)).map(({ data }) => data[0])).toEqual([5, 5]);
  });
});

test('who hands out may take breaks', async () => {
  const breaks: (() => void)[] = [];
  let handed = 0;
  const { waits, read } = controlled(() =>
    ++handed % 4 === 0 ? new Promise((resolve) => breaks.push(resolve)) : undefined,
  );
  const asked = region();
  waits.get(asked, wait()).catch(() => {});
  let answered = 0;
  const gets = Array.from({ length: 10 }, () => waits.get(asked, wait()).then(() => answered++));
  read(0).end(reply(0));
  await settled();
  read(1).end(reply(1));
  await settled();
  expect(answered).toBe(4);
  breaks[0]?.();
  await settled();
  expect(answered).toBe(8);
  breaks[1]?.();
  await Promise.all(gets);
  expect(answered).toBe(10);
});
