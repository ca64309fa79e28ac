import type { RawId, ShardId } from './names.js';

/** Every subject begins with this: name and version of the wire contract. */
export const ROOT = 'tide.v1';

/** Public request/reply subjects, by the operation's name. */
export const PUBLIC = {
  declare: `${ROOT}.variable.declare`,
  variableGet: `${ROOT}.variable.get`,
  variableList: `${ROOT}.variable.list`,
  variableDelete: `${ROOT}.variable.delete`,
  put: `${ROOT}.put`,
  putOpen: `${ROOT}.put.open`,
  get: `${ROOT}.get`,
  query: `${ROOT}.query`,
  steps: `${ROOT}.steps`,
  delete: `${ROOT}.delete`,
  pin: `${ROOT}.pin`,
  unpin: `${ROOT}.unpin`,
  rollback: `${ROOT}.run.rollback`,
  storage: `${ROOT}.storage`,
  triggerRegister: `${ROOT}.trigger.register`,
  triggerGet: `${ROOT}.trigger.get`,
  triggerList: `${ROOT}.trigger.list`,
  triggerDelete: `${ROOT}.trigger.delete`,
  triggerEnable: `${ROOT}.trigger.enable`,
  triggerDisable: `${ROOT}.trigger.disable`,
  triggerTest: `${ROOT}.trigger.test`,
  triggerExplain: `${ROOT}.trigger.explain`,
  triggerDecisions: `${ROOT}.trigger.decisions`,
  kernelPut: `${ROOT}.kernel.put`,
  kernelList: `${ROOT}.kernel.list`,
} as const;

/** Operations on shards: any of them takes the list of shards meant, all of them thought to have one owner. */
export type ShardOperation = 'index' | 'unindex' | 'tier' | 'plan' | 'read' | 'covered' | 'list' | 'runs';
/** Operations on one raw-service. */
export type RawOperation =
  | 'put'
  | 'open'
  | 'read'
  | 'release'
  | 'inventory'
  | 'lookup'
  | 'discard'
  | 'storage'
  | 'check'
  | 'derive'
  | 'persist';
/** Operations on the primaries of one shard. */
export type EngineOperation = 'undecided';

/** `tide.v1.shard.<s>.<operation>`: answered by the meta-service that owns the shard. */
export function shardSubject(shard: ShardId | number, operation: ShardOperation): string {
  return `${ROOT}.shard.${shard}.${operation}`;
}

/** `tide.v1.raw.<id>.<operation>`: answered by that raw-service. */
export function rawSubject(id: RawId | string, operation: RawOperation): string {
  return `${ROOT}.raw.${id}.${operation}`;
}

/** `tide.v1.raw.<id>.upload.<uploadId>`: takes the chunks of one upload. */
export function uploadSubject(id: RawId | string, uploadId: string): string {
  return `${ROOT}.raw.${id}.upload.${uploadId}`;
}

/** `tide.v1.engine.<s>.<operation>`: answered by the trigger-engine that owns the primaries of the shard. */
export function engineSubject(shard: ShardId | number, operation: EngineOperation): string {
  return `${ROOT}.engine.${shard}.${operation}`;
}

/** Announcements of shard ownership: `{id, shards, at}` from a meta-service whose ownership changed, and every few seconds. */
export const OWNERS = `${ROOT}.owners.meta`;
/** A request here makes every meta-service announce itself. */
export const OWNERS_ASK = `${ROOT}.owners.ask`;

/** `tide.v1.member.<id>.sync`: answered once that member has seen a revision of a bucket. */
export function syncSubject(memberId: string): string {
  return `${ROOT}.member.${memberId}.sync`;
}

/** `tide.v1.steps-seen.<variable>.<run>`: a raw-service tells the others of a step that is new to it. */
export function stepSeenSubject(variable: string, run: string): string {
  return `${ROOT}.steps-seen.${variable}.${run}`;
}

/** All `stepSeenSubject`s. */
export const STEPS_SEEN_ALL = `${ROOT}.steps-seen.*.*`;

/** Events on the stream TIDE_EVENTS. */
export const EVENTS_ALL = `${ROOT}.event.>`;

/** A raw-service's storage state changed. */
export function storageEventSubject(rawService: string): string {
  return `${ROOT}.event.storage.${rawService}`;
}

/** A run was rolled back. */
export function runEventSubject(run: string): string {
  return `${ROOT}.event.run.${run}`;
}

/** Pointers on the stream TIDE_POINTERS. */
export const POINTERS_ALL = `${ROOT}.pointer.>`;

/** `tide.v1.pointer.<primary>.<trigger>`: a partition inside the trigger's box was indexed. */
export function pointerSubject(primary: ShardId | number, trigger: string): string {
  return `${ROOT}.pointer.${primary}.${trigger}`;
}

/** All pointers to triggers whose primary is `shard`. */
export function pointersOf(shard: ShardId | number): string {
  return `${ROOT}.pointer.${shard}.*`;
}

/** Decisions on the stream TIDE_DECISIONS. */
export const DECISIONS_ALL = `${ROOT}.decision.>`;

/** What tells the log of one trigger for one run from all others. */
export interface DecisionLogKey {
  /** Name of the outermost trigger. */
  readonly root: string;
  readonly generation: number;
  readonly run: string;
  /** Full name: `root`, or `root~child`. */
  readonly trigger: string;
}

/** `tide.v1.decision.<root>.<generation>.<run>.<trigger>`: the decisions of one trigger for one run. `*` stands for any. */
export function decisionSubject(key: {
  readonly root: string;
  readonly generation: number | '*';
  readonly run: string;
  readonly trigger: string;
}): string {
  return `${ROOT}.decision.${key.root}.${key.generation}.${key.run}.${key.trigger}`;
}

/** The parts of a decision's subject. */
export function parseDecisionSubject(subject: string): DecisionLogKey {
  const [, , , root = '', generation = '', run = '', trigger = ''] = subject.split('.');
  return { root, generation: Number(generation), run, trigger };
}

/** A fired decision. `*` stands for any. */
export function triggerEventSubject(event: {
  readonly run: string;
  readonly trigger: string;
  readonly epoch: number | '*';
  readonly step: number | '*';
}): string {
  return `${ROOT}.event.trigger.${event.run}.${event.trigger}.${event.epoch}.${event.step}`;
}

/** Tasks on the stream TIDE_TASKS. */
export const TASKS_ALL = `${ROOT}.task.*`;

/** Work of one kind. */
export function taskSubject(name: string): string {
  return `${ROOT}.task.${name}`;
}

/** Tasks that were given up, on the stream TIDE_TASKS_DEAD. */
export const DEAD_TASKS_ALL = `${ROOT}.task-dead.*`;

/** Work of one kind that was given up after the last delivery. */
export function deadTaskSubject(name: string): string {
  return `${ROOT}.task-dead.${name}`;
}

/** Steering on the stream TIDE_STEERING. */
export const STEERING_ALL = `${ROOT}.steer.*`;

/** What a run is told to do. */
export function steerSubject(run: string): string {
  return `${ROOT}.steer.${run}`;
}
