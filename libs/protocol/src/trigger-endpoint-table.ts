import { ANY_ERRORS, control, type EndpointEntry } from './endpoint-entry.js';
import { HEADERS } from './headers.js';
import { PUBLIC } from './subjects.js';
import {
  decisionsReplySchema,
  explainReplySchema,
  kernelListReplySchema,
  kernelReplySchema,
  registerReplySchema,
  triggerDeleteReplySchema,
  triggerListReplySchema,
  triggerReplySchema,
  triggerTestReplySchema,
} from './trigger-reply-schema.js';
import {
  triggerDecisionsSchema,
  triggerExplainSchema,
  triggerListSchema,
  triggerNameSchema,
  triggerTestDocumentSchema,
} from './trigger-request-schema.js';
import { triggerDefinitionSchema } from './trigger-schema.js';
import { emptySchema } from './variable-schema.js';

/** The endpoints of triggers and of the kernels that they call. */
export const TRIGGER_ENDPOINTS = {
  triggerRegister: {
    name: 'trigger-register',
    subject: PUBLIC.triggerRegister,
    summary: 'Registers a trigger; the same definition again changes nothing, a changed one is its next generation.',
    request: control(triggerDefinitionSchema),
    reply: control(registerReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'CONFLICT', 'STORAGE_FULL'],
  },
  triggerGet: {
    name: 'trigger-get',
    subject: PUBLIC.triggerGet,
    summary: 'Answers a trigger as it stands.',
    request: control(triggerNameSchema),
    reply: control(triggerReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_TRIGGER'],
  },
  triggerList: {
    name: 'trigger-list',
    subject: PUBLIC.triggerList,
    summary: 'Lists the registered triggers.',
    request: control(triggerListSchema),
    reply: control(triggerListReplySchema),
    errors: [...ANY_ERRORS, 'TOO_LARGE'],
  },
  triggerDelete: {
    name: 'trigger-delete',
    subject: PUBLIC.triggerDelete,
    summary: 'Deletes a trigger; its decisions stay readable.',
    request: control(triggerNameSchema),
    reply: control(triggerDeleteReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_TRIGGER'],
  },
  triggerEnable: {
    name: 'trigger-enable',
    subject: PUBLIC.triggerEnable,
    summary: 'Lets a trigger decide again, also the steps that are staged and undecided.',
    request: control(triggerNameSchema),
    reply: control(triggerReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_TRIGGER'],
  },
  triggerDisable: {
    name: 'trigger-disable',
    subject: PUBLIC.triggerDisable,
    summary: 'Stops a trigger from deciding until it is enabled.',
    request: control(triggerNameSchema),
    reply: control(triggerReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_TRIGGER'],
  },
  triggerTest: {
    name: 'trigger-test',
    subject: PUBLIC.triggerTest,
    summary: 'Evaluates a definition on staged steps without committing or acting.',
    request: control(triggerTestDocumentSchema),
    reply: control(triggerTestReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'TOO_LARGE'],
  },
  triggerExplain: {
    name: 'trigger-explain',
    subject: PUBLIC.triggerExplain,
    summary: 'Tells how a decision came about.',
    request: control(triggerExplainSchema),
    reply: control(explainReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_TRIGGER', 'NOT_FOUND'],
  },
  triggerDecisions: {
    name: 'trigger-decisions',
    subject: PUBLIC.triggerDecisions,
    summary: 'Lists the decisions of a trigger in the order in which they were committed.',
    request: control(triggerDecisionsSchema),
    reply: control(decisionsReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_TRIGGER'],
  },
  kernelPut: {
    name: 'kernel-put',
    subject: PUBLIC.kernelPut,
    summary: 'Stores a WebAssembly module whose exports checks and transforms may call.',
    request: { kind: 'data', required: [], optional: [HEADERS.accept], payload: 'The module.' },
    reply: control(kernelReplySchema),
    errors: [...ANY_ERRORS, 'TOO_LARGE', 'STORAGE_FULL'],
  },
  kernelList: {
    name: 'kernel-list',
    subject: PUBLIC.kernelList,
    summary: 'Lists the stored modules.',
    request: control(emptySchema),
    reply: control(kernelListReplySchema),
    errors: ANY_ERRORS,
  },
} as const satisfies Readonly<Record<string, EndpointEntry>>;
