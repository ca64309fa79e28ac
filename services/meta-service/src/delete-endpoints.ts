import { controlHandler, type EndpointSpec, publishEvent } from '@tidegate/bus';
import { boxWithin } from '@tidegate/client/region';
import { formatBox } from '@tidegate/geometry';
import {
  ConflictError,
  type DeleteReply,
  type DeleteRequest,
  deleteSchema,
  ENDPOINTS,
  type RollbackReply,
  type RollbackRequest,
  type RunRecord,
  rollbackSchema,
  runEventSubject,
} from '@tidegate/protocol';
import { type Coordinator, declared, endpoint } from './coordinator.js';
import { syncMembers } from './member-sync.js';
import { dropPins, pinsOf } from './pin-endpoints.js';
import { releaseListed } from './release-flow.js';

const ATTEMPTS = 16;

/** `delete` and `run.rollback`: what takes staged data back. */
export function deleteEndpoints(coordinator: Coordinator): EndpointSpec[] {
  return [
    endpoint(
      ENDPOINTS.delete,
      controlHandler(deleteSchema, (request) => deleteSteps(coordinator, request)),
    ),
    endpoint(
      ENDPOINTS.rollback,
      controlHandler(rollbackSchema, (request) => rollBack(coordinator, request)),
    ),
  ];
}

/** Deletes the partitions of steps, with a box those inside it; whole steps lose their pins, too. */
export async function deleteSteps(coordinator: Coordinator, request: DeleteRequest): Promise<DeleteReply> {
  const { run, steps } = request;
  const variable = await declared(coordinator, request.variable);
  const box = request.box === undefined ? undefined : boxWithin(variable, request.box);
  const shards = variable.map.shardsOf(box ?? variable.domain);
  const doomed = { variable: request.variable, run, steps, ...(box && { box: formatBox(box) }) };
  const released = await releaseListed(coordinator, shards, doomed, 'deleted');
  if (box === undefined) await dropPins(coordinator, pinsOf(request));
  return released;
}

/**
 * Begins the next epoch of a run: no put of an earlier one enters a step above `toStep` any more, and what is staged
 * there is released.
 */
export async function rollBack(coordinator: Coordinator, request: RollbackRequest): Promise<RollbackReply> {
  const { bus, roster, state, logger } = coordinator;
  const { run, toStep, variables } = request;
  for (const name of variables ?? []) await declared(coordinator, name);
  const { record, revision } = await nextEpoch(coordinator, request);
  await syncMembers(bus, roster, 'runs', revision);
  const { epoch } = record;
  if (toStep < Number.MAX_SAFE_INTEGER) {
    const steps = `${toStep + 1}:${Number.MAX_SAFE_INTEGER}`;
    const shards = Array.from({ length: state.config.shards }, (_, shard) => shard);
    for (const variable of variables ?? [undefined]) {
      const doomed = { run, steps, belowEpoch: epoch, ...(variable !== undefined && { variable }) };
      await releaseListed(coordinator, shards, doomed, 'rollback');
    }
  }
  const { at: _, ...event } = record;
  await publishEvent(bus, runEventSubject(run), event, { msgId: `${run}.${epoch}.${revision}` });
  logger.info(event, 'a run was rolled back');
  return { epoch };
}

async function nextEpoch(
  { state }: Coordinator,
  { run, toStep, variables, reason }: RollbackRequest,
): Promise<{ readonly record: RunRecord; readonly revision: number }> {
  const { bucket } = state.runs;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const standing = await bucket.get(run);
    const record: RunRecord = {
      run,
      epoch: (standing?.value.epoch ?? 0) + 1,
      toStep,
      ...(variables && { variables }),
      ...(reason !== undefined && { reason }),
      at: new Date().toISOString(),
    };
    const revision = standing ? await bucket.update(run, record, standing.revision) : await bucket.create(run, record);
    if (revision !== undefined) return { record, revision };
  }
  throw new ConflictError(`run "${run}" is being rolled back by others at the same time`);
}
