import type { Logger } from '@tidegate/bus';
import { type Box, formatBox, within } from '@tidegate/geometry';
import {
  BadRequestError,
  OutOfDomainError,
  type RawId,
  type ReadRequest,
  type RunRecord,
  UnknownVariableError,
  type VariableRecord,
} from '@tidegate/protocol';
import type { MetaIndex } from './meta-index.js';
import type { PlanCache } from './plan-cache.js';
import type { PointerPublisher } from './pointer-publisher.js';
import type { RawStarts } from './raw-starts.js';
import type { ShardOwner, Standing } from './shard-owner.js';
import type { TriggerPointers } from './trigger-pointers.js';
import type { VariableIndex } from './variable-index.js';
import type { WaitRoom } from './wait-room.js';

/** Longest that an owner keeps a request waiting: callers ask again before that, and those of callers long gone end. */
export const WAIT_LIMIT_MS = 30_000;

/** What the answers to shard requests are made from. */
export interface ShardContext {
  readonly logger: Logger;
  readonly owner: ShardOwner;
  readonly index: MetaIndex;
  readonly starts: RawStarts;
  readonly room: WaitRoom;
  readonly plans: PlanCache;
  readonly pointers: TriggerPointers;
  readonly publisher: PointerPublisher;
  /** Bytes that a reply may have. */
  readonly maxPayload: number;
  /** The index of a declared variable; undefined where there is none of that name. */
  variable(name: string): Promise<VariableIndex | undefined>;
  rollback(run: string): RunRecord | undefined;
  isLive(raw: RawId): boolean;
  /** Has a raw-service answer a read to who waits at `reply`. */
  forwardRead(raw: RawId, request: ReadRequest, reply: string): void;
  /** Something was indexed by a start of a raw-service that nobody announced yet. */
  rawStarted(raw: RawId): void;
}

/** How this process stands to the shards, once none of them is being taken over. */
export async function settledStanding(owner: ShardOwner, shards: readonly number[]): Promise<Standing> {
  let standing = owner.standing(shards);
  while (standing.acquiring.length > 0) {
    await owner.whenSettled(standing.acquiring);
    standing = owner.standing(shards);
  }
  return standing;
}

/** The index of a variable, looked up where it is not open here; undefined where none of the name is declared. */
export async function lookUpVariable(context: ShardContext, name: string): Promise<VariableIndex | undefined> {
  const known = context.index.get(name);
  return known === undefined || known.deleted ? context.variable(name) : known;
}

/** The same. @throws UnknownVariableError */
export async function declaredVariable(context: ShardContext, name: string): Promise<VariableIndex> {
  const variable = await lookUpVariable(context, name);
  if (variable === undefined) throw new UnknownVariableError(name);
  return variable;
}

/** @throws BadRequestError for a wrong number of dimensions, OutOfDomainError for a box that reaches out */
export function checkBox(record: VariableRecord, box: Box): void {
  if (within(box, record.shape)) return;
  const { name, shape } = record;
  if (box.lower.length !== shape.length) {
    throw new BadRequestError(
      'box',
      `expected a box of ${shape.length} dimensions as variable "${name}" has, got ${formatBox(box)}`,
    );
  }
  throw new OutOfDomainError(
    `expected a box inside 0:${shape.join(',0:')} of variable "${name}", got ${formatBox(box)}`,
    shape,
  );
}
