import { controlHandler, type EndpointSpec } from '@tidegate/bus';
import { boxWithin } from '@tidegate/client/region';
import { formatBox } from '@tidegate/geometry';
import { type DeleteReply, type DeleteRequest, deleteSchema, ENDPOINTS, rollbackSchema } from '@tidegate/protocol';
import { type Coordinator, declared, endpoint } from './coordinator.js';
import { dropPins, pinsOf } from './pin-endpoints.js';
import { releaseListed } from './release-flow.js';
import { rollBack } from './rollback-flow.js';

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
