import { type Box, isGeometryError, MAX_SHARDS, makeBox, parseBox } from '@tidegate/geometry';
import {
  BadRequestError,
  type CoveredRequest,
  type IndexRequest,
  isName,
  isStep,
  isUlid,
  type ListRequest,
  type PlanRequest,
  type RunsRequest,
  type StepSelection,
  stepsSchema,
  type TierRequest,
  type UnindexRequest,
} from '@tidegate/protocol';

type Fields = Readonly<Record<string, unknown>>;

/** Most ids of one `unindex` or `tier`. */
const IDS_LIMIT = 65_536;

function bad(field: string, expected: string, got: unknown): BadRequestError {
  return new BadRequestError(
    field,
    `${field}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 80) ?? 'nothing'}`,
  );
}

function name(fields: Fields, key: string): string {
  const value = fields[key];
  if (!isName(value)) throw bad(key, 'a name', value);
  return value;
}

function step(fields: Fields, key: string): number {
  const value = fields[key];
  if (!isStep(value)) throw bad(key, 'an integer of at least 0', value);
  return value;
}

function oneOf<T extends string>(fields: Fields, key: string, values: readonly T[]): T {
  const value = values.find((known) => known === fields[key]);
  if (value === undefined) throw bad(key, values.join(' or '), fields[key]);
  return value;
}

function ids(fields: Fields): UnindexRequest['ids'] {
  const value = fields['ids'];
  if (!Array.isArray(value) || value.length > IDS_LIMIT || !value.every(isUlid)) {
    throw bad('ids', `at most ${IDS_LIMIT} ULIDs`, value);
  }
  return value as unknown as UnindexRequest['ids'];
}

/** A box in text form. @throws BadRequestError */
export function boxOf(text: unknown, field = 'box'): Box {
  if (typeof text !== 'string') throw bad(field, 'a box in text form', text);
  try {
    return parseBox(text);
  } catch (error) {
    if (isGeometryError(error)) throw new BadRequestError(field, error.message, { cause: error });
    throw error;
  }
}

/** The shards of a request, whatever its operation. */
export function readShards(fields: Fields): readonly number[] {
  const value = fields['shards'];
  const valid = Array.isArray(value) && value.length > 0 && value.length <= MAX_SHARDS;
  if (!valid || !value.every((shard) => isStep(shard) && shard < MAX_SHARDS))
    throw bad('shards', 'a list of shards', value);
  return value as readonly number[];
}

function readBox(value: unknown): Box {
  const { lower, upper } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Box>;
  if (!Array.isArray(lower) || !Array.isArray(upper)) throw bad('entry.box', '{lower, upper}', value);
  try {
    return makeBox(lower, upper);
  } catch (error) {
    if (isGeometryError(error)) throw new BadRequestError('entry.box', error.message, { cause: error });
    throw error;
  }
}

/** An entry of `index` or of an inventory. @throws BadRequestError */
export function readEntry(value: unknown): IndexRequest['entry'] {
  if (typeof value !== 'object' || value === null) throw bad('entry', 'a map', value);
  const fields: Fields = value as Fields;
  if (!isUlid(fields['id'])) throw bad('entry.id', 'a ULID', fields['id']);
  const entry = {
    id: fields['id'],
    run: name(fields, 'run'),
    variable: name(fields, 'variable'),
    step: step(fields, 'step'),
    epoch: step(fields, 'epoch'),
    box: readBox(fields['box']),
    bytes: step(fields, 'bytes'),
    stamp: step(fields, 'stamp'),
    raw: name(fields, 'raw'),
    tier: oneOf(fields, 'tier', ['memory', 'disk']),
  };
  return entry as unknown as IndexRequest['entry'];
}

export function readIndex(fields: Fields): Omit<IndexRequest, 'shards'> {
  const incarnation = fields['incarnation'];
  if (typeof incarnation !== 'string' || incarnation === '') throw bad('incarnation', 'a text', incarnation);
  const request = { entry: readEntry(fields['entry']), incarnation };
  return fields['replace'] === true ? { ...request, replace: true } : request;
}

export function readUnindex(fields: Fields): Omit<UnindexRequest, 'shards'> {
  const request = {
    raw: name(fields, 'raw') as UnindexRequest['raw'],
    variable: name(fields, 'variable'),
    run: name(fields, 'run'),
    step: step(fields, 'step'),
    ids: ids(fields),
    reason: oneOf(fields, 'reason', ['undone', 'deleted', 'evicted', 'rollback']),
  };
  return fields['floor'] === undefined ? request : { ...request, floor: step(fields, 'floor') };
}

export function readTier(fields: Fields): Omit<TierRequest, 'shards'> {
  return {
    raw: name(fields, 'raw') as TierRequest['raw'],
    variable: name(fields, 'variable'),
    run: name(fields, 'run'),
    step: step(fields, 'step'),
    ids: ids(fields),
    tier: oneOf(fields, 'tier', ['memory', 'disk']),
  };
}

export function readPlan(fields: Fields): Omit<PlanRequest, 'shards' | 'box'> & { readonly box: Box } {
  return {
    variable: name(fields, 'variable'),
    run: name(fields, 'run'),
    step: step(fields, 'step'),
    box: boxOf(fields['box']),
    waitMs: waitOf(fields),
  };
}

/** Of a `read`, beside its plan. */
export function readMaxBytes(fields: Fields): number {
  return step(fields, 'maxBytes');
}

export function readCovered(fields: Fields): Omit<CoveredRequest, 'shards' | 'box'> & { readonly box: Box } {
  const after = fields['after'];
  if (after !== -1 && !isStep(after)) throw bad('after', 'a step or -1', after);
  const limit = step(fields, 'limit');
  const version = fields['version'];
  if (version !== undefined && typeof version !== 'string') throw bad('version', 'a text', version);
  return {
    variable: name(fields, 'variable'),
    run: name(fields, 'run'),
    box: boxOf(fields['box']),
    after: after as number,
    order: oneOf(fields, 'order', ['newest', 'oldest']),
    limit: Math.max(1, limit),
    waitMs: waitOf(fields),
    ...(version !== undefined && { version }),
  };
}

/** `run` is undefined for every run. */
export interface ListAsked extends Omit<ListRequest, 'shards' | 'box' | 'steps' | 'run'> {
  readonly run: string | undefined;
  readonly box: Box | undefined;
  readonly steps: StepSelection | undefined;
}

export function readRuns(fields: Fields): Omit<RunsRequest, 'shards'> {
  return { variable: name(fields, 'variable') };
}

/** `run: "*"` means every run. */
export function readList(fields: Fields): ListAsked {
  const steps = fields['steps'] === undefined ? undefined : stepsSchema.safeParse(fields['steps']);
  if (steps?.success === false) throw bad('steps', 'a step, steps or a range', fields['steps']);
  const cursor = fields['cursor'];
  if (cursor !== undefined && typeof cursor !== 'string') throw bad('cursor', 'a text', cursor);
  return {
    run: fields['run'] === ALL_RUNS ? undefined : name(fields, 'run'),
    box: fields['box'] === undefined ? undefined : boxOf(fields['box']),
    steps: steps?.data,
    ...(fields['variable'] !== undefined && { variable: name(fields, 'variable') }),
    ...(fields['belowEpoch'] !== undefined && { belowEpoch: step(fields, 'belowEpoch') }),
    ...(cursor !== undefined && { cursor }),
    ...(fields['summary'] === true && { summary: true }),
  };
}

/** `run` of a list of every run: no run has this name. */
export const ALL_RUNS = '*';

function waitOf(fields: Fields): number {
  const value = fields['waitMs'] ?? 0;
  if (typeof value !== 'number' || !(value >= 0)) throw bad('waitMs', 'milliseconds', value);
  return value;
}
