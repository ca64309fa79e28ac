import { DEAD_TASKS_ALL, DECISIONS_ALL, EVENTS_ALL, POINTERS_ALL, STEERING_ALL, TASKS_ALL } from './subjects.js';
import type { TriggerDefinition } from './trigger-schema.js';

/** KV buckets; a `ttlMs` of 0 keeps keys for ever. */
export const BUCKETS = {
  /** `config`: number of shards, version of the contract. */
  cluster: { name: 'tide_cluster', ttlMs: 0, maxBytes: 1 << 20 },
  /** variable name -> VariableRecord. */
  variables: { name: 'tide_variables', ttlMs: 0, maxBytes: 64 << 20 },
  /** run -> RunRecord. */
  runs: { name: 'tide_runs', ttlMs: 0, maxBytes: 64 << 20 },
  /** `<variable>.<run>.<step>` -> PinRecord. */
  pins: { name: 'tide_pins', ttlMs: 0, maxBytes: 64 << 20 },
  /** raw-service id -> when it first came; stays while the service may hold data. */
  raws: { name: 'tide_raws', ttlMs: 0, maxBytes: 4 << 20 },
  /** `<kind>.<id>` -> MemberRecord, renewed while the member lives. */
  members: { name: 'tide_members', ttlMs: 5000, maxBytes: 16 << 20 },
  /** trigger name -> TriggerRecord; deleted ones stay, so that their generation is never given twice. */
  triggers: { name: 'tide_triggers', ttlMs: 0, maxBytes: 64 << 20 },
  /** `kernelKey` -> KernelRecord. */
  kernels: { name: 'tide_kernels', ttlMs: 0, maxBytes: 128 << 20 },
  /** `settledKey` -> SettledRecord: up to where the actions of a trigger's decisions are done. */
  settled: { name: 'tide_settled', ttlMs: 0, maxBytes: 64 << 20 },
  /** `meta.<shard>` or `engine.<shard>` -> LeaseRecord. */
  leases: { name: 'tide_leases', ttlMs: 3000, maxBytes: 16 << 20 },
} as const;

/** One of the KV buckets. */
export type Bucket = keyof typeof BUCKETS;

/** How a stream is set up. */
export interface StreamDescription {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly maxBytes: number;
  /** 0 keeps messages for ever. */
  readonly maxAgeMs: number;
  /** What goes when it is full: the oldest messages, or the new one, which is refused. */
  readonly discard: 'old' | 'new';
  /** Default: as many as fit. The oldest of a subject go first. */
  readonly maxPerSubject?: number;
  /** `workqueue`: a message goes when somebody has acknowledged it. Default: it stays. */
  readonly retention?: 'workqueue';
}

/** JetStream streams. Bounded, so that the broker never meets a full disk. */
export const STREAMS = {
  events: {
    name: 'TIDE_EVENTS',
    subjects: [EVENTS_ALL],
    maxBytes: 256 << 20,
    maxAgeMs: 7 * 24 * 3600 * 1000,
    /** Events are for subscribers to follow: the oldest go first. */
    discard: 'old',
  },
  pointers: {
    name: 'TIDE_POINTERS',
    subjects: [POINTERS_ALL],
    maxBytes: 128 << 20,
    maxAgeMs: 3600 * 1000,
    /** A reader that missed some asks the shards, which hold the truth: a dead engine must not stop the puts. */
    discard: 'old',
  },
  decisions: {
    name: 'TIDE_DECISIONS',
    subjects: [DECISIONS_ALL],
    maxBytes: 256 << 20,
    maxAgeMs: 0,
    discard: 'new',
    maxPerSubject: 100_000,
  },
  tasks: {
    name: 'TIDE_TASKS',
    subjects: [TASKS_ALL],
    maxBytes: 64 << 20,
    maxAgeMs: 0,
    discard: 'new',
    retention: 'workqueue',
  },
  deadTasks: {
    name: 'TIDE_TASKS_DEAD',
    subjects: [DEAD_TASKS_ALL],
    maxBytes: 32 << 20,
    maxAgeMs: 0,
    discard: 'old',
  },
  steering: {
    name: 'TIDE_STEERING',
    subjects: [STEERING_ALL],
    maxBytes: 32 << 20,
    maxAgeMs: 7 * 24 * 3600 * 1000,
    discard: 'old',
    maxPerSubject: 256,
  },
} as const satisfies Readonly<Record<string, StreamDescription>>;

/** `config` in the cluster bucket. */
export interface ClusterConfig {
  readonly shards: number;
  readonly protocol: 1;
  readonly createdAt: string;
}

/** A run that was rolled back at least once. */
export interface RunRecord {
  readonly run: string;
  readonly epoch: number;
  /** Steps above it were superseded by the newest rollback. */
  readonly toStep: number;
  /** Absent: all variables. */
  readonly variables?: readonly string[];
  readonly reason?: string;
  readonly at: string;
  /** Every rollback that decides the epoch of some step, this one last: epochs and steps both rise. */
  readonly standing?: readonly RollbackRecord[];
}

/** One rollback of a run. */
export interface RollbackRecord {
  readonly epoch: number;
  readonly toStep: number;
  /** Absent: all variables. */
  readonly variables?: readonly string[];
}

/** A trigger as it stands. */
export interface TriggerRecord {
  readonly name: string;
  /** Counts the definitions that this name has had, from 1. */
  readonly generation: number;
  /** `registering`: the owners of its shards need not know it yet; they publish pointers all the same. */
  readonly state: 'registering' | 'active' | 'deleted';
  readonly enabled: boolean;
  /** Complete: nothing in it is left to defaults. */
  readonly definition: TriggerDefinition;
  /** Of the complete definition. */
  readonly digest: string;
  /** The lowest of `shards`. */
  readonly primary: number;
  /** All that its box touches, rising. */
  readonly shards: readonly number[];
  /** Tells the variable from a later one of the same name. */
  readonly variableCreatedAt: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A user's WebAssembly module. */
export interface KernelRecord {
  /** The module in base 64. */
  readonly wasm: string;
  readonly exports: readonly string[];
  readonly bytes: number;
}

/** Key of the module with a digest: its hexadecimal digits. */
export function kernelKey(digest: string): string {
  return digest.replace('sha256:', '');
}

/** Decisions of one log whose actions are done. */
export interface SettledRecord {
  /** Sequence in TIDE_DECISIONS of the last of them. */
  readonly sequence: number;
}

/** Key of a log's SettledRecord. */
export function settledKey({ trigger, generation, run }: { trigger: string; generation: number; run: string }): string {
  return `${trigger.replaceAll('~', '/')}.${generation}.${run}`;
}

/** Why a step may not leave memory. */
export interface PinRecord {
  readonly reason?: string;
  readonly at: string;
}

/** Key of a pin. */
export function pinKey(variable: string, run: string, step: number): string {
  return `${variable}.${run}.${step}`;
}

/** The parts of a pin's key. */
export function parsePinKey(key: string): { variable: string; run: string; step: number } {
  const [variable = '', run = '', step = ''] = key.split('.');
  return { variable, run, step: Number(step) };
}

/** What a live service says of itself. */
export interface MemberRecord {
  readonly id: string;
  readonly kind: 'raw' | 'meta' | 'engine' | 'provenance';
  /** ULID of this start of the process; a restart is another one. */
  readonly incarnation: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  /** Raw-services: room left, for the weights of the round robin. */
  readonly freeBytes?: number;
  readonly limitBytes?: number;
  readonly state?: 'ok' | 'nearfull' | 'full' | 'critical';
}

/** Who owns a shard. */
export interface LeaseRecord {
  readonly owner: string;
  readonly incarnation: string;
}
