import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartitionRecord, StorageState } from '@tidegate/protocol';
import type { EvictionPolicy } from '../eviction.js';
import { PartitionStore } from '../partition-store.js';
import type { PartitionStoreOptions } from '../store-options.js';
import { recordingLogger, sampleBytes } from './partition-samples.js';

/** A store on folders of its own, with what it told and what it asks for at hand. */
export class StoreBench {
  readonly root: string;
  readonly policies = new Map<string, EvictionPolicy>();
  readonly pins = new Set<string>();
  readonly undecided = new Set<string>();
  readonly spilled: PartitionRecord[] = [];
  readonly dropped: { readonly step: number; readonly floor: number }[] = [];
  readonly states: StorageState[] = [];
  readonly log = recordingLogger();
  readonly #waiting: { readonly condition: () => boolean; readonly done: () => void }[] = [];

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<StoreBench> {
    return new StoreBench(await mkdtemp(join(tmpdir(), 'store-')));
  }

  get memoryDir(): string {
    return join(this.root, 'memory');
  }

  get dataDir(): string {
    return join(this.root, 'data');
  }

  open(options: Partial<PartitionStoreOptions> = {}): Promise<PartitionStore> {
    return PartitionStore.open({
      id: 'raw',
      memoryDir: this.memoryDir,
      dataDir: this.dataDir,
      memoryBytes: 1 << 20,
      diskBytes: 1 << 30,
      policy: (variable) => this.policies.get(variable),
      isPinned: (variable, run, step) => this.pins.has(`${variable}.${run}.${step}`),
      isUndecided: (variable, run, step) => this.undecided.has(`${variable}.${run}.${step}`),
      now: () => performance.now(),
      logger: this.log.logger,
      on: {
        spilled: (records) => this.#told(() => this.spilled.push(...records)),
        dropped: (records, floor) =>
          this.#told(() => this.dropped.push(...records.map(({ step }) => ({ step, floor })))),
        state: (state) => this.#told(() => this.states.push(state)),
      },
      ...options,
    });
  }

  /** Resolves when the condition holds after something was told. */
  when(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ condition, done }));
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  #told(note: () => void): void {
    note();
    for (const waiter of [...this.#waiting]) {
      if (!waiter.condition()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.done();
    }
  }
}

/** Reserves, writes and commits the bytes that follow from the record's id. */
export async function put(
  store: PartitionStore,
  record: PartitionRecord,
  { waitMs = 0, durable = false }: { waitMs?: number; durable?: boolean } = {},
): Promise<void> {
  const reservation = await store.reserve(record.bytes, { waitMs, durable });
  reservation.write(0, sampleBytes(record.id, record.bytes));
  try {
    await store.commit(reservation, record, { durable });
  } catch (error) {
    reservation.abort();
    throw error;
  }
}

/** Whether a partition is there with the bytes that follow from its id. */
export async function isWhole(store: PartitionStore, { id, box, bytes }: PartitionRecord): Promise<boolean> {
  return Buffer.compare(await store.read(id, box), sampleBytes(id, bytes)) === 0;
}
