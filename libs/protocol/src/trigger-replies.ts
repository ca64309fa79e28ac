import type { TriggerDefinition } from './trigger-schema.js';

type JsonMap = { readonly [key: string]: unknown };

/** Reply of `trigger.register`. */
export interface RegisterReply {
  readonly name: string;
  readonly generation: number;
  /** The lowest shard that the box touches: it holds the trigger. */
  readonly primary: number;
  /** All shards that the box touches. */
  readonly shards: readonly number[];
}

/** A registered trigger: reply of `trigger.get`, `enable` and `disable`. */
export interface TriggerReply extends RegisterReply {
  readonly enabled: boolean;
  readonly definition: TriggerDefinition;
  readonly digest: string;
  /** RFC 3339: when this generation was registered. */
  readonly createdAt: string;
}

export interface TriggerListReply {
  readonly triggers: readonly TriggerReply[];
}

/** Reply of `trigger.delete`: the generation that is gone. Its decisions stay readable. */
export interface TriggerDeleteReply {
  readonly name: string;
  readonly generation: number;
}

/** A committed verdict. Numbers that JSON lacks are texts: `NaN`, `Infinity`, `-Infinity`, `-0`. */
export interface DecisionReply {
  readonly run: string;
  readonly epoch: number;
  readonly step: number;
  /** Full name, `parent~child` for a nested one. */
  readonly trigger: string;
  readonly generation: number;
  /** With `when: partition`: its id. */
  readonly partition?: string;
  readonly verdict: 'fired' | 'quiet' | 'unknown';
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly late: boolean;
  /** Whether the condition held; null where it has no value. */
  readonly indicator: boolean | null;
  readonly values: JsonMap;
  /** Why a check has no value, by its name. */
  readonly failures?: Readonly<Record<string, string>>;
  readonly reason: string;
  /** RFC 3339. */
  readonly committedAt: string;
  /** Position in the decision log; absent for a dry run. */
  readonly sequence?: number;
}

/** Reply of `trigger.decisions`, in the order in which they were committed; with `cursor` there may be more. */
export interface DecisionsReply {
  readonly decisions: readonly DecisionReply[];
  readonly cursor?: string;
}
/** Most decisions of one reply. */
export const DECISIONS_LIMIT = 1000;

/** Reply of `trigger.test`: nothing of it was committed or acted upon. */
export interface TriggerTestReply {
  readonly decisions: readonly DecisionReply[];
  /** Steps that were asked for and are not covered. */
  readonly notCovered: readonly number[];
}

/** What one part of an expression came to. */
export interface ExplainedValue {
  readonly text: string;
  /** Or why it has none. */
  readonly value: unknown;
}

/** Reply of `trigger.explain`. */
export interface ExplainReply {
  readonly decision: DecisionReply;
  /** In box order, with the values of each piece alone; absent where they were too many to be kept. */
  readonly parts?: readonly { readonly box: string; readonly bytes: number; readonly values: JsonMap }[];
  readonly condition: readonly ExplainedValue[];
  readonly recovery: readonly ExplainedValue[];
  readonly before: JsonMap;
  readonly after: JsonMap;
  readonly reason: string;
  /** What the decision asked for. */
  readonly actions: readonly JsonMap[];
}

/** Body of a fired decision's event. */
export interface TriggerEventBody {
  readonly run: string;
  readonly epoch: number;
  readonly step: number;
  readonly trigger: string;
  readonly generation: number;
  readonly variable: string;
  readonly box: string;
  readonly values: JsonMap;
  readonly indicator: boolean | null;
  readonly data: JsonMap;
  /** Id of the decision. */
  readonly decision: string;
}

/** Body of a task: the event and what to do. */
export interface TaskBody extends TriggerEventBody {
  readonly args: JsonMap;
  /** Counts deliveries from 1: as stored 1, the SDK puts in the true number. */
  readonly attempt: number;
  /** The same however often the task is delivered. */
  readonly idempotencyKey: string;
}

/** Deliveries of a task before it goes to `deadTaskSubject`. */
export const TASK_DELIVERIES = 5;
/** Silence of a worker after which its task is delivered again. */
export const TASK_ACK_WAIT_MS = 30_000;

/** Body of a steering message. What is not newer than the last one, by epoch and then decision, is to be rejected. */
export interface SteerBody {
  readonly op: 'pause' | 'resume' | 'stop' | 'set' | 'rollback';
  readonly args: JsonMap;
  readonly epoch: number;
  /** Sequence of the decision in the decision log. */
  readonly decision: number;
  readonly trigger: string;
  readonly step: number;
  /** Several steers of one decision: their order. */
  readonly action: number;
}

/** Reply of `kernel.put`. */
export interface KernelReply {
  readonly digest: string;
  readonly exports: readonly string[];
}

export interface KernelListReply {
  readonly kernels: readonly (KernelReply & { readonly bytes: number })[];
}
/** Largest WebAssembly module. */
export const KERNEL_MAX_BYTES = 704 * 1024;
