import { controlHandler, type EndpointSpec, type Handler } from '@tidegate/bus';
import { decodeBody, ENDPOINTS, encodeBody, triggerListSchema, triggerNameSchema } from '@tidegate/protocol';
import type { EngineContext } from '../engine-context.js';
import {
  type DefinitionCheck,
  deleteTrigger,
  listTriggers,
  registerTrigger,
  setEnabled,
  standingTrigger,
  triggerReply,
} from './registration.js';

const FIRST_OF_JSON = 0x7b;

/** `trigger.register`, `get`, `list`, `delete`, `enable` and `disable`: any engine answers them. */
export function triggerEndpoints(context: EngineContext, check: DefinitionCheck): EndpointSpec[] {
  const { triggerRegister, triggerGet, triggerList, triggerDelete, triggerEnable, triggerDisable } = ENDPOINTS;
  return [
    endpoint(triggerRegister, registerHandler(context, check)),
    endpoint(
      triggerGet,
      controlHandler(triggerNameSchema, async ({ name }) => triggerReply(await standingTrigger(context, name))),
    ),
    endpoint(
      triggerList,
      controlHandler(triggerListSchema, ({ variable }) => ({ triggers: listTriggers(context, variable) })),
    ),
    endpoint(
      triggerDelete,
      controlHandler(triggerNameSchema, ({ name }) => deleteTrigger(context, name)),
    ),
    endpoint(
      triggerEnable,
      controlHandler(triggerNameSchema, ({ name }) => setEnabled(context, name, true)),
    ),
    endpoint(
      triggerDisable,
      controlHandler(triggerNameSchema, ({ name }) => setEnabled(context, name, false)),
    ),
  ];
}

function endpoint(
  { name, subject }: { readonly name: string; readonly subject: string },
  handler: Handler,
): EndpointSpec {
  return { name, subject, handler };
}

/** The definition is checked as it came: a schema would drop some oddities silently. */
function registerHandler(context: EngineContext, check: DefinitionCheck): Handler {
  return async (incoming) => {
    const { data } = incoming;
    incoming.encoding = data.length === 0 || data[0] === FIRST_OF_JSON ? 'json' : 'msgpack';
    const { map, encoding } = decodeBody(data);
    return { data: encodeBody(await registerTrigger(context, map, check), encoding) };
  };
}
