import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PartitionRecord } from '@tidegate/protocol';
import { DroppedFloors } from '../dropped-floors.js';
import type { EvictionPolicy } from '../eviction.js';
import { Evictor } from '../evictor.js';
import { Moving } from '../moving.js';
import { type OpenTiers, openTiers } from '../open-tiers.js';
import { StepCatalog } from '../step-catalog.js';
import { StepWindows } from '../step-windows.js';
import { recordingLogger, sampleBytes, sampleRecord } from './partition-samples.js';

const POLICY: EvictionPolicy = { window: 1, onEvict: 'spill', durability: 'memory' };

let root: string;
let tiers: OpenTiers;
let evictor: Evictor;
let moving: Moving;
let undecided: (step: number) => boolean;
let inMemory: StepCatalog;
let windows: StepWindows;
let policy: EvictionPolicy;
let pressure: number;
let clock: number;
let exhausted: number;
let spilled: PartitionRecord[][];
let batchEnded: () => void;
const log = recordingLogger();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'evictor-'));
  const folders = { memoryDir: join(root, 'memory'), dataDir: join(root, 'data') };
  const onFreed = () => undefined;
  tiers = await openTiers({ ...folders, memoryBytes: 1 << 20, diskBytes: 1 << 24, logger: log.logger, onFreed });
  inMemory = new StepCatalog();
  windows = new StepWindows(
    () => POLICY,
    () => [],
  );
  pressure = 0;
  clock = 1000;
  exhausted = 0;
  spilled = [];
  batchEnded = () => undefined;
  log.lines.length = 0;
  moving = new Moving();
  undecided = () => false;
  policy = POLICY;
  evictor = new Evictor({
    memory: tiers.memory,
    disk: tiers.disk,
    inMemory,
    onDisk: new StepCatalog(),
    windows,
    floors: new DroppedFloors(tiers.journal, tiers.entries, () => POLICY),
    moving,
    policy: () => policy,
    isPinned: () => false,
    isUndecided: (_variable, _run, step) => undecided(step),
    pressureBytes: () => pressure,
    now: () => clock,
    logger: log.logger,
    spilled: (records) => spilled.push([...records]),
    dropped: () => undefined,
    exhausted: () => exhausted++,
    changed: () => batchEnded(),
  });
});
afterEach(async () => {
  await evictor.close();
  await tiers.close();
  await rm(root, { recursive: true, force: true });
});

function hold(step: number): PartitionRecord {
  const record = sampleRecord({ step });
  const reservation = tiers.memory.reserve(record.bytes);
  if (reservation === undefined) throw new Error('no room');
  reservation.write(0, sampleBytes(record.id, record.bytes));
  tiers.memory.commit(reservation, record);
  inMemory.add(record);
  windows.seen(record.variable, record.run, step);
  return record;
}

const nextBatch = () =>
  new Promise<void>((resolve) => {
    batchEnded = resolve;
  });

describe('Evictor', () => {
  test('tells of what it spilled step by step, and leaves nothing on its way', async () => {
    const early = [hold(0), hold(0), hold(1)];
    const newest = hold(2);
    const ended = nextBatch();
    evictor.touch('T', 'default');
    await ended;
    expect(moving.of(early.map(({ id }) => id))).toBeUndefined();
    expect(spilled).toEqual([early.slice(0, 2), early.slice(2)]);
    expect(early.map(({ id }) => tiers.memory.get(id))).toEqual([undefined, undefined, undefined]);
    expect(tiers.memory.get(newest.id)).toBe(newest);
  });

  test('a step is dropped only once nobody may decide it, also where that changes between two drops', async () => {
    policy = { ...POLICY, onEvict: 'drop' };
    const [first, second] = [hold(0), hold(1)];
    hold(2);
    let asked = 0;
    undecided = (step) => step === 1 && ++asked > 1;
    let ended = nextBatch();
    evictor.touch('T', 'default');
    await ended;
    expect([tiers.memory.get(first.id), tiers.memory.get(second.id)]).toEqual([undefined, second]);
    undecided = () => false;
    ended = nextBatch();
    evictor.touch('T', 'default');
    await ended;
    expect(tiers.memory.get(second.id)).toBeUndefined();
  });

  test('passes over what somebody else moves', async () => {
    const [first, second] = [hold(0), hold(1)];
    hold(2);
    let finish: () => void = () => undefined;
    const elsewhere = moving.run([first.id], () => new Promise<void>((resolve) => (finish = resolve)));
    let ended = nextBatch();
    evictor.touch('T', 'default');
    await ended;
    expect([tiers.memory.get(first.id), tiers.memory.get(second.id)]).toEqual([first, undefined]);
    finish();
    await elsewhere;
    ended = nextBatch();
    evictor.kick();
    await ended;
    expect(tiers.memory.get(first.id)).toBeUndefined();
  });

  test('a failed spill is tried again only after its pause, which doubles', async () => {
    const blocker = join(root, 'data', 'T');
    await writeFile(blocker, 'a file where a folder has to be');
    const early = hold(0);
    hold(1);
    let ended = nextBatch();
    evictor.touch('T', 'default');
    await ended;
    expect(evictor.blocked).toBe(true);
    expect(log.lines).toMatchObject([{ level: 50, retryInMs: 100, examples: [early.id] }]);
    ended = nextBatch();
    clock += 100;
    evictor.kick();
    await ended;
    expect(log.lines).toMatchObject([{}, { retryInMs: 200 }]);
    await rm(blocker);
    ended = nextBatch();
    evictor.touchAll();
    await ended;
    expect([evictor.blocked, spilled]).toEqual([false, [[early]]]);
  });

  test('while the disk refuses, what has a copy there still leaves memory', async () => {
    const copied = hold(5);
    const bytes = sampleBytes(copied.id, copied.bytes);
    await tiers.disk.writeAll([
      { record: copied, read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)) },
    ]);
    const only = sampleRecord({ step: 5, variable: 'U' });
    const reservation = tiers.memory.reserve(only.bytes);
    if (reservation === undefined) throw new Error('no room');
    tiers.memory.commit(reservation, only);
    inMemory.add(only);
    await writeFile(join(root, 'data', 'U'), 'a file where a folder has to be');
    let ended = nextBatch();
    pressure = 1 << 20;
    evictor.kick();
    await ended;
    expect(tiers.memory.get(only.id)).toBe(only);
    expect(tiers.memory.get(copied.id)).toBeUndefined();
    ended = nextBatch();
    clock = 1100;
    evictor.kick();
    await ended;
    expect(log.lines.at(-1)).toMatchObject({ retryInMs: 200 });
    const later = hold(6);
    const laterBytes = sampleBytes(later.id, later.bytes);
    await tiers.disk.writeAll([
      { record: later, read: (offset, target) => target.set(laterBytes.subarray(offset, offset + target.length)) },
    ]);
    ended = nextBatch();
    clock = 1210;
    evictor.kick();
    await ended;
    expect(log.lines).toHaveLength(2);
    expect(tiers.memory.get(later.id)).toBeUndefined();
    expect(tiers.memory.get(only.id)).toBe(only);
  });

  test('pressure that nothing can relieve is told once, not at every kick', async () => {
    pressure = 1;
    for (let i = 0; i < 20; i++) {
      evictor.kick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(exhausted).toBe(1);
    clock += 100;
    evictor.kick();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(exhausted).toBe(2);
  });
});
