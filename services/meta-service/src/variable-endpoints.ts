import { controlHandler, type EndpointSpec, monotonicNow, syncMembers } from '@tidegate/bus';
import { createShardMap, isGeometryError } from '@tidegate/geometry';
import {
  BadRequestError,
  ConflictError,
  type DeclareRequest,
  type DeleteReply,
  declareSchema,
  ENDPOINTS,
  emptySchema,
  parsePinKey,
  UnknownVariableError,
  type VariableListReply,
  type VariableRecord,
  variableNameSchema,
} from '@tidegate/protocol';
import { revisionWithout } from './cluster-state.js';
import { askList, type Coordinator, declared, endpoint, OWNERS_MS } from './coordinator.js';
import { dropPins } from './pin-endpoints.js';
import { releaseListed } from './release-flow.js';
import { ALL_RUNS } from './shard-request.js';

/** A record that changes under every attempt to write it is another client's to settle. */
const ATTEMPTS = 8;

/** `variable.declare`, `get`, `list` and `delete`. */
export function variableEndpoints(coordinator: Coordinator): EndpointSpec[] {
  return [
    endpoint(
      ENDPOINTS.declare,
      controlHandler(declareSchema, (request) => declareVariable(coordinator, request)),
    ),
    endpoint(
      ENDPOINTS.variableGet,
      controlHandler(variableNameSchema, async ({ name }) => (await declared(coordinator, name)).record),
    ),
    endpoint(
      ENDPOINTS.variableList,
      controlHandler(emptySchema, () => listVariables(coordinator)),
    ),
    endpoint(
      ENDPOINTS.variableDelete,
      controlHandler(variableNameSchema, ({ name }) => deleteVariable(coordinator, name)),
    ),
  ];
}

/**
 * Declares a variable, or answers its standing record.
 *
 * @throws ConflictError where another declaration stands; BadRequestError for a layout that cannot be
 */
export async function declareVariable(
  coordinator: Coordinator,
  { layout, ...request }: DeclareRequest,
): Promise<VariableRecord> {
  const { bucket, cache } = coordinator.state.variables;
  const { shards } = coordinator.state.config;
  const record: VariableRecord = { ...request, ...(layout && { layout }), createdAt: new Date().toISOString(), shards };
  checkShardMap(record);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Asked again and again by every rank of a run: mostly it stands.
    const standing = (await cache.getThrough(record.name)) ?? (await bucket.get(record.name))?.value;
    if (standing) return agreed(standing, record);
    const revision = await bucket.create(record.name, record);
    if (revision === undefined) continue;
    await cache.waitFor(revision, OWNERS_MS);
    return record;
  }
  throw new ConflictError(`variable "${record.name}" is declared and deleted by others at the same time`);
}

function checkShardMap(record: VariableRecord): void {
  try {
    createShardMap(record);
  } catch (error) {
    if (isGeometryError(error)) throw new BadRequestError('layout', error.message, { cause: error });
    throw error;
  }
}

const DECLARED = ['dtype', 'shape', 'window', 'onEvict', 'durability', 'layout', 'annotation'] as const;

function agreed(standing: VariableRecord, wanted: VariableRecord): VariableRecord {
  const differing = DECLARED.filter((key) => JSON.stringify(standing[key]) !== JSON.stringify(wanted[key]));
  if (differing.length === 0) return standing;
  const list = differing.map((key) => `${key} ${JSON.stringify(standing[key])} (got ${JSON.stringify(wanted[key])})`);
  throw new ConflictError(`variable "${wanted.name}" is declared otherwise: expected ${list.join(', ')}`, standing);
}

/** All declared variables, by name. */
export function listVariables({ state }: Coordinator): VariableListReply {
  const variables = [...state.variables.cache.entries()].map(([, { value }]) => value);
  return { variables: variables.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/**
 * Deletes a variable and releases what is staged of it. Repeated after a failure it goes on with what is left.
 *
 * @throws UnknownVariableError; UnavailableError where a raw-service that may hold data of it does not answer
 */
export async function deleteVariable(coordinator: Coordinator, name: string): Promise<DeleteReply> {
  const { bus, roster, state } = coordinator;
  const { variables } = state;
  const shards = Array.from({ length: state.config.shards }, (_, shard) => shard);
  const all = { variable: name, run: ALL_RUNS };
  const standing = await variables.bucket.get(name);
  if (standing) {
    // Refused before anything is changed, where it could not be carried through.
    await askList(coordinator, shards, { ...all, steps: 0 }, monotonicNow() + OWNERS_MS);
    await variables.bucket.delete(name, standing.revision);
    const revision = await revisionWithout(variables, new Map([[name, standing.revision]]));
    await syncMembers(bus, roster, 'variables', revision, { kinds: ['raw', 'meta'] });
  }
  const released = await releaseListed(coordinator, shards, all, 'deleted');
  if (!standing && released.partitions === 0) throw new UnknownVariableError(name);
  await dropPins(coordinator, (key) => parsePinKey(key).variable === name);
  return released;
}
