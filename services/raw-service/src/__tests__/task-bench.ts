import { variableHandle } from '@tidegate/client/region';
import { type CheckTask, type TransformedPiece, type TransformTask, transformedBox } from '@tidegate/kernels';
import {
  NotFoundError,
  type PutDescriptor,
  type PutReply,
  type RawId,
  UnknownVariableError,
  type VariableRecord,
} from '@tidegate/protocol';
import type { PartitionStore } from '../partition-store.js';
import { type TaskContext, taskGates } from '../task-context.js';

/** What tasks work with: a real store, and stand-ins that note what they were asked for. */
export class TaskBench {
  readonly context: TaskContext;
  readonly checks: CheckTask[] = [];
  readonly transforms: TransformTask[] = [];
  readonly puts: { readonly descriptor: PutDescriptor; readonly bytes: Uint8Array }[] = [];
  readonly remoteReads: string[] = [];
  readonly settled: string[] = [];
  readonly variables = new Map<string, VariableRecord>();
  readonly stopped = new AbortController();
  /** Called in place of a worker. */
  check: (task: CheckTask, signal: AbortSignal | undefined) => Promise<Uint8Array> = async () => new Uint8Array([7]);
  /** Bytes of a piece that another raw-service holds. */
  remote: (raw: string, id: string, box: string) => Promise<Uint8Array> = async (_raw, id) => {
    throw new NotFoundError(`partition ${id} is not here (any more)`);
  };
  put: (descriptor: PutDescriptor) => Promise<void> = async () => undefined;
  settle: (id: string) => Promise<void> = async () => undefined;

  constructor(store: PartitionStore) {
    this.context = {
      raw: 'raw1' as RawId,
      store,
      puts: {
        put: async (descriptor, bytes) => {
          await this.put(descriptor);
          this.puts.push({ descriptor, bytes });
          return {} as PutReply;
        },
        settled: async (id) => {
          this.settled.push(id);
          await this.settle(id);
        },
      },
      catalog: {
        variable: async (name) => {
          const record = this.variables.get(name);
          if (record === undefined) throw new UnknownVariableError(name);
          return variableHandle(record);
        },
      },
      runner: {
        check: (task, { signal }) => {
          this.checks.push(task);
          return this.check(task, signal);
        },
        transform: async (task): Promise<TransformedPiece | undefined> => {
          this.transforms.push(task);
          const box = transformedBox(task.transform, task.piece);
          return box && { box, dtype: task.dtype, bytes: new Uint8Array(8) };
        },
        stop: async () => undefined,
      },
      kernels: { find: async (digests) => new Map(digests.map((digest) => [digest, new Uint8Array(4)])) },
      remote: {
        readBox: async (raw, id, box) => {
          const text = box.lower.map((lower, d) => `${lower}:${box.upper[d]}`).join(',');
          this.remoteReads.push(`${raw} ${id} ${text}`);
          return this.remote(raw, id, text);
        },
        readBytes: async () => {
          throw new Error('expected reads of boxes alone');
        },
      },
      chunkBytes: 1024,
      gates: taskGates(),
      stopped: this.stopped.signal,
    };
  }
}

/** A variable as declared. */
export function sampleVariable(name: string, options: Partial<VariableRecord> = {}): VariableRecord {
  return {
    name,
    dtype: 'float64',
    shape: [16, 16],
    window: 10,
    onEvict: 'spill',
    durability: 'memory',
    annotation: 'optional',
    createdAt: '',
    shards: 4,
    ...options,
  };
}
