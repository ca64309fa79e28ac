import { EVENTS_ALL } from './subjects.js';

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
  /** `meta.<shard>` -> LeaseRecord. */
  leases: { name: 'tide_leases', ttlMs: 3000, maxBytes: 16 << 20 },
} as const;

/** One of the KV buckets. */
export type Bucket = keyof typeof BUCKETS;

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
} as const;

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
