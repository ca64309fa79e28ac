import { syncMembers } from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import { parseBox } from '@tidegate/geometry';
import {
  BadRequestError,
  ConflictError,
  isName,
  type RegisterReply,
  type TriggerDeleteReply,
  type TriggerRecord,
  type TriggerReply,
  UnknownTriggerError,
  UnknownVariableError,
} from '@tidegate/protocol';
import type { EngineContext } from '../engine-context.js';
import { type Derivation, triggerTree, type ValidDefinition, validateDefinition } from '../semantics/index.js';

/** Most triggers of a cluster. */
export const TRIGGERS_LIMIT = 10_000;
/** A record that changes under every attempt to write it is another client's to settle. */
const ATTEMPTS = 8;
const SEEN_MS = 3000;
/** Who has to know a trigger before it counts: who publishes its pointers, holds its windows, and decides it. */
const CONCERNED = ['raw', 'meta', 'engine'] as const;

/** Checks what a definition asks for beyond itself: kernels, say. @throws BadRequestError */
export type DefinitionCheck = (definition: ValidDefinition['definition']) => Promise<void>;

/** The reply that shows a trigger as it stands. */
export function triggerReply(record: TriggerRecord): TriggerReply {
  const { name, generation, primary, shards, enabled, definition, digest, createdAt } = record;
  return { name, generation, primary, shards, enabled, definition, digest, createdAt };
}

function registerReply({ name, generation, primary, shards }: TriggerRecord): RegisterReply {
  return { name, generation, primary, shards };
}

/**
 * Registers a trigger, and returns once everybody who has to know it does. The same definition again changes nothing;
 * another one is the next generation, and enabled.
 *
 * @param map the definition as it came
 * @throws BadRequestError that points at the offending key; UnknownVariableError; ConflictError where others register the
 *   same name at the same time; UnavailableError while somebody who lives has not seen it: the owner of the primary goes on
 */
export async function registerTrigger(
  context: EngineContext,
  map: Readonly<Record<string, unknown>>,
  check: DefinitionCheck,
): Promise<RegisterReply> {
  const variable = await namedVariable(context, map);
  const { name } = map;
  const valid = validateDefinition(map, { variable: variable.record, derivations: derivations(context, name) });
  await check(valid.definition);
  const shards = variable.map.shardsOf(parseBox(valid.definition.on.box));
  const { bucket } = context.state.triggers;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const standing = await bucket.get(valid.definition.name);
    if (standing && isSame(standing.value, valid, variable)) {
      return registerReply(await finish(context, standing.value, standing.revision));
    }
    if (!standing || standing.value.state === 'deleted') refuseTooMany(context);
    const now = new Date(context.wallClock()).toISOString();
    const record: TriggerRecord = {
      name: valid.definition.name,
      generation: (standing?.value.generation ?? 0) + 1,
      state: 'registering',
      enabled: true,
      definition: valid.definition,
      digest: valid.digest,
      primary: shards[0] ?? 0,
      shards,
      variableCreatedAt: variable.record.createdAt,
      createdAt: now,
      updatedAt: now,
    };
    const revision = standing
      ? await bucket.update(record.name, record, standing.revision)
      : await bucket.create(record.name, record);
    if (revision === undefined) continue;
    await refuseCircle(context, record, revision);
    return registerReply(await finish(context, record, revision));
  }
  throw new ConflictError(`trigger "${valid.definition.name}" is being registered by others at the same time`);
}

/** The variable that a definition names; where that cannot be told, what is wrong with the definition. */
async function namedVariable(context: EngineContext, map: Readonly<Record<string, unknown>>): Promise<VariableHandle> {
  const name = (map['on'] as { readonly variable?: unknown } | undefined)?.variable;
  const nowhere = { name: '', dtype: 'float64', shape: [1] } as const;
  if (!isName(name)) validateDefinition(map, { variable: nowhere });
  const variable = await context.variable(String(name));
  if (variable === undefined) throw new UnknownVariableError(String(name));
  // One that was deleted and declared anew may have another shape: the leader of the bucket knows.
  const standing = await context.state.variables.bucket.get(variable.record.name);
  if (standing === undefined) throw new UnknownVariableError(variable.record.name);
  return standing.value.createdAt === variable.record.createdAt ? variable : variableHandle(standing.value);
}

function isSame(standing: TriggerRecord, { digest }: ValidDefinition, { record }: VariableHandle): boolean {
  const { state, variableCreatedAt } = standing;
  return state !== 'deleted' && standing.digest === digest && variableCreatedAt === record.createdAt;
}

/** What the standing triggers derive but for the named one. */
export function derivations({ state }: EngineContext, name: unknown): Derivation[] {
  const made: Derivation[] = [];
  for (const [, { value: record }] of state.triggers.cache.entries()) {
    if (record.state === 'deleted' || record.name === name) continue;
    const { definition } = record;
    // Complete definitions have their box.
    const nodes = triggerTree({ ...definition, on: { ...definition.on, box: definition.on.box ?? '' } });
    for (const { scope, action } of nodes) {
      for (const { derive } of action) if (derive) made.push({ from: scope.variable, to: derive.to });
    }
  }
  return made;
}

function refuseTooMany({ state }: EngineContext): void {
  let count = 0;
  for (const [, { value }] of state.triggers.cache.entries()) if (value.state !== 'deleted') count++;
  if (count < TRIGGERS_LIMIT) return;
  throw new BadRequestError(
    'name',
    `expected at most ${TRIGGERS_LIMIT} triggers in all, there are ${count}: delete some`,
  );
}

/** Two definitions that were registered at the same time may close a circle: the later one goes. */
async function refuseCircle(context: EngineContext, record: TriggerRecord, revision: number): Promise<void> {
  const { cache, bucket } = context.state.triggers;
  const variable = await context.variable(record.definition.on.variable);
  await cache.waitFor(revision, SEEN_MS);
  if (variable === undefined) return;
  try {
    const others = derivations(context, record.name);
    validateDefinition(record.definition, { variable: variable.record, derivations: others });
  } catch (error) {
    await bucket.update(record.name, { ...record, state: 'deleted', enabled: false }, revision);
    throw error;
  }
}

/**
 * Makes a trigger count once everybody has seen it; one that counts already is returned as it is.
 *
 * @throws ConflictError where it was changed meanwhile; UnavailableError
 */
export async function finish(context: EngineContext, record: TriggerRecord, revision: number): Promise<TriggerRecord> {
  if (record.state !== 'registering') return record;
  const { bus, roster, state, wallClock } = context;
  await syncMembers(bus, roster, 'triggers', revision, { kinds: CONCERNED });
  const active: TriggerRecord = { ...record, state: 'active', updatedAt: new Date(wallClock()).toISOString() };
  const written = await state.triggers.bucket.update(record.name, active, revision);
  if (written !== undefined) return active;
  const standing = (await state.triggers.bucket.get(record.name))?.value;
  const finished = standing?.state === 'active' && standing.generation === record.generation;
  if (finished) return standing;
  throw new ConflictError(
    `trigger "${record.name}" was changed by others at the same time`,
    standing && triggerReply(standing),
  );
}

/** A trigger as it stands. @throws UnknownTriggerError */
export async function standingTrigger(context: EngineContext, name: string): Promise<TriggerRecord> {
  const standing = (await context.state.triggers.bucket.get(name))?.value;
  if (standing === undefined || standing.state === 'deleted') throw new UnknownTriggerError(name);
  return standing;
}

/** All triggers, or those of one variable, by name. */
export function listTriggers({ state }: EngineContext, variable: string | undefined): readonly TriggerReply[] {
  const records = [...state.triggers.cache.entries()].map(([, { value }]) => value);
  const listed = records.filter(
    (record) => record.state !== 'deleted' && (variable === undefined || record.definition.on.variable === variable),
  );
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1)).map(triggerReply);
}

/**
 * Lets a trigger decide again, from what is staged, or stops it.
 *
 * @throws UnknownTriggerError; ConflictError; UnavailableError
 */
export async function setEnabled(context: EngineContext, name: string, enabled: boolean): Promise<TriggerReply> {
  const { record, revision } = await change(context, name, (standing) =>
    standing.enabled === enabled ? standing : { ...standing, enabled, state: 'registering' },
  );
  return triggerReply(await finish(context, record, revision));
}

/** Deletes a trigger; its decisions stay. @throws UnknownTriggerError; ConflictError; UnavailableError */
export async function deleteTrigger(context: EngineContext, name: string): Promise<TriggerDeleteReply> {
  const { bus, roster } = context;
  const { record, revision } = await change(context, name, (standing) => ({
    ...standing,
    state: 'deleted',
    enabled: false,
  }));
  await syncMembers(bus, roster, 'triggers', revision, { kinds: CONCERNED });
  return { name, generation: record.generation };
}

async function change(
  context: EngineContext,
  name: string,
  edit: (standing: TriggerRecord) => TriggerRecord,
): Promise<{ readonly record: TriggerRecord; readonly revision: number }> {
  const { bucket } = context.state.triggers;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const standing = await bucket.get(name);
    if (standing === undefined || standing.value.state === 'deleted') throw new UnknownTriggerError(name);
    const edited = edit(standing.value);
    if (edited === standing.value) return { record: edited, revision: standing.revision };
    const record = { ...edited, updatedAt: new Date(context.wallClock()).toISOString() };
    const revision = await bucket.update(name, record, standing.revision);
    if (revision !== undefined) return { record, revision };
  }
  throw new ConflictError(`trigger "${name}" is being changed by others at the same time`);
}
