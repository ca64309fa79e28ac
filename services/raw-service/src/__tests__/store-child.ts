import { writeSync } from 'node:fs';
import type { PartitionRecord } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import type { EvictionPolicy } from '../eviction.js';
import { PartitionStore } from '../partition-store.js';
import { nextId, recordingLogger, sampleBytes, sampleRecord } from './partition-samples.js';

// Puts, spills, drops and removals in a process of its own, which is killed in the midst of them. Each line on standard
// output is what a client would know: `begin` a put was sent, `put` it was acknowledged, `remove` and `removed` likewise.

/** T spills, V is durable, D drops. */
export const CHILD_POLICIES: Readonly<Record<string, EvictionPolicy>> = {
  T: { window: 3, onEvict: 'spill', durability: 'memory' },
  V: { window: 3, onEvict: 'spill', durability: 'durable' },
  D: { window: 3, onEvict: 'drop', durability: 'memory' },
};

/** Opens the store that the child and whoever looks after it work on. */
export function openChildStore(root: string): Promise<PartitionStore> {
  return PartitionStore.open({
    id: 'raw',
    memoryDir: `${root}/memory`,
    dataDir: `${root}/data`,
    memoryBytes: 1 << 20,
    diskBytes: 64 << 20,
    segmentBytes: 256 << 10,
    policy: (variable) => CHILD_POLICIES[variable],
    isPinned: () => false,
    isUndecided: () => false,
    now: () => performance.now(),
    logger: recordingLogger().logger,
    on: { spilled: () => undefined, dropped: () => undefined, state: () => undefined },
  });
}

function tell(...words: (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

async function work(root: string, seed: number, firstStep: number): Promise<void> {
  const random = seededRandom(seed);
  const store = await openChildStore(root);
  const known: PartitionRecord[] = [];
  tell('ready', '-');
  for (let i = 0; ; i++) {
    const variable = random.pick(['T', 'T', 'V', 'D', 'D']);
    const step = firstStep + (i >> 3);
    const record = sampleRecord({
      id: nextId(`01${String(firstStep).padStart(10, '0')}`),
      variable,
      step,
      box: `0:${random.int(1, 9000)}`,
    });
    const durable = variable === 'V';
    tell('begin', record.id, variable, step);
    const reservation = await store.reserve(record.bytes, { waitMs: 60_000, durable });
    reservation.write(0, sampleBytes(record.id, record.bytes));
    await store.commit(reservation, record, { durable });
    tell('put', record.id, variable, step);
    known.push(record);
    if (random.next() < 0.3) {
      const ids = [random.pick(known).id, random.pick(known).id];
      for (const id of ids) tell('remove', id);
      await store.remove(ids);
      for (const id of ids) tell('removed', id);
    }
    // Lets the evictor have its turn, sometimes for long enough to finish.
    if (random.next() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Steps that come and go for a while; tells how much memory the process has now and then. */
async function soak(root: string, puts: number, every: number): Promise<void> {
  const store = await openChildStore(root);
  for (let i = 0; i < puts; i++) {
    const record = sampleRecord({ variable: i % 100 === 0 ? 'T' : 'D', step: i, box: '0:64,0:128' });
    const reservation = await store.reserve(record.bytes, { waitMs: 60_000 });
    reservation.write(0, sampleBytes(record.id, record.bytes));
    await store.commit(reservation, record, { durable: false });
    if (store.get(record.id)?.tier !== 'memory') throw new Error('expected a put to be in memory');
    if (i % every === every - 1) {
      globalThis.gc?.();
      tell('rss', process.memoryUsage.rss());
    }
  }
  await store.close();
}

const [, script, root, mode, ...numbers] = process.argv;
const [a = 0, b = 0] = numbers.map(Number);
if (script === import.meta.filename && root !== undefined) {
  if (mode === 'soak') await soak(root, a, b);
  else await work(root, a, b);
}
