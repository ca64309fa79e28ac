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
} as const;

/** Operations on shards: any of them takes the list of shards meant, all of them thought to have one owner. */
export type ShardOperation = 'index' | 'unindex' | 'tier' | 'plan' | 'read' | 'covered' | 'list';
/** Operations on one raw-service. */
export type RawOperation = 'put' | 'open' | 'read' | 'release' | 'inventory' | 'lookup' | 'discard' | 'storage';

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
