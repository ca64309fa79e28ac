import type { z } from 'zod';
import type { ErrorCode } from './error-table.js';
import { HEADERS } from './headers.js';
import {
  deleteReplySchema,
  doneReplySchema,
  putReplySchema,
  queryReplySchema,
  rawStorageSchema,
  rollbackReplySchema,
  runEventSchema,
  stepsReplySchema,
  storageReplySchema,
  uploadTicketSchema,
  variableListReplySchema,
  variableReplySchema,
} from './reply-schema.js';
import {
  deleteSchema,
  pinSchema,
  putOpenSchema,
  querySchema,
  rollbackSchema,
  stepsRequestSchema,
} from './staging-schema.js';
import {
  deadTaskSubject,
  PUBLIC,
  ROOT,
  runEventSubject,
  steerSubject,
  storageEventSubject,
  taskSubject,
  uploadSubject,
} from './subjects.js';
import {
  decisionsReplySchema,
  explainReplySchema,
  kernelListReplySchema,
  kernelReplySchema,
  registerReplySchema,
  steerBodySchema,
  taskBodySchema,
  triggerDeleteReplySchema,
  triggerEventSchema,
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
import { declareSchema, emptySchema, variableNameSchema } from './variable-schema.js';

type HeaderName = (typeof HEADERS)[keyof typeof HEADERS];

/** A message whose body is a map in JSON or MessagePack. */
export interface ControlMessage {
  readonly kind: 'control';
  readonly schema: z.ZodType;
}

/** A message with its description in headers and raw bytes, or nothing, as payload. */
export interface DataMessage {
  readonly kind: 'data';
  readonly required: readonly HeaderName[];
  readonly optional: readonly HeaderName[];
  /** What the payload holds; absent: it is empty. */
  readonly payload?: string;
}

/** A public request/reply operation. */
export interface EndpointEntry {
  /** Name in the listing of the NATS services framework: `[A-Za-z0-9_-]+`. */
  readonly name: string;
  /** Parts in braces stand for one token each. */
  readonly subject: string;
  readonly summary: string;
  readonly request: ControlMessage | DataMessage;
  readonly reply: ControlMessage | DataMessage;
  readonly errors: readonly ErrorCode[];
}

/** What is published on a stream. */
export interface EventEntry {
  readonly name: string;
  readonly stream: string;
  /** Beside the body; absent: none. */
  readonly headers?: readonly HeaderName[];
  /** Parts in braces stand for one token each. */
  readonly subject: string;
  readonly summary: string;
  readonly schema: z.ZodType;
}

function control(schema: z.ZodType): ControlMessage {
  return { kind: 'control', schema };
}

/** What any endpoint may answer. */
const ANY: readonly ErrorCode[] = ['BAD_REQUEST', 'FORBIDDEN', 'BUSY', 'UNAVAILABLE', 'TIMEOUT'];
const PUT_ERRORS: readonly ErrorCode[] = [
  ...ANY,
  'SIZE_MISMATCH',
  'UNKNOWN_VARIABLE',
  'NOT_FOUND',
  'CONFLICT',
  'TOO_LARGE',
  'OUT_OF_DOMAIN',
  'STORAGE_FULL',
];

/** The public endpoints, by the operation's name in `PUBLIC`: services register from it and the document is made of it. */
export const ENDPOINTS = {
  declare: {
    name: 'variable-declare',
    subject: PUBLIC.declare,
    summary: 'Declares a variable; the same declaration again is answered with the standing record.',
    request: control(declareSchema),
    reply: control(variableReplySchema),
    errors: [...ANY, 'CONFLICT'],
  },
  variableGet: {
    name: 'variable-get',
    subject: PUBLIC.variableGet,
    summary: 'Answers the record of a variable.',
    request: control(variableNameSchema),
    reply: control(variableReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE'],
  },
  variableList: {
    name: 'variable-list',
    subject: PUBLIC.variableList,
    summary: 'Lists the declared variables.',
    request: control(emptySchema),
    reply: control(variableListReplySchema),
    errors: ANY,
  },
  variableDelete: {
    name: 'variable-delete',
    subject: PUBLIC.variableDelete,
    summary: 'Deletes a variable with its partitions and triggers.',
    request: control(variableNameSchema),
    reply: control(deleteReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE'],
  },
  put: {
    name: 'put',
    subject: PUBLIC.put,
    summary: 'Stores one partition; the reply means that it is readable.',
    request: {
      kind: 'data',
      required: [HEADERS.variable, HEADERS.step],
      optional: [
        HEADERS.box,
        HEADERS.run,
        HEADERS.id,
        HEADERS.wait,
        HEADERS.annotation,
        HEADERS.derivedFrom,
        HEADERS.activity,
        HEADERS.digest,
        HEADERS.accept,
      ],
      payload: 'The cells of the box: raw bytes, little-endian, row-major.',
    },
    reply: control(putReplySchema),
    errors: PUT_ERRORS,
  },
  putOpen: {
    name: 'put-open',
    subject: PUBLIC.putOpen,
    summary: 'Reserves the room of a put that is larger than a message and says where its chunks go.',
    request: control(putOpenSchema),
    reply: control(uploadTicketSchema),
    errors: PUT_ERRORS,
  },
  get: {
    name: 'get',
    subject: PUBLIC.get,
    summary: 'Answers the newest data of a box, whole.',
    request: {
      kind: 'data',
      required: [HEADERS.variable, HEADERS.step],
      optional: [HEADERS.box, HEADERS.run, HEADERS.wait, HEADERS.stream, HEADERS.quarantined, HEADERS.accept],
    },
    reply: {
      kind: 'data',
      required: [HEADERS.dtype, HEADERS.shape, HEADERS.step, HEADERS.epoch, HEADERS.box],
      optional: [HEADERS.offset, HEADERS.totalBytes, HEADERS.index, HEADERS.count],
      payload: 'The cells of the box: raw bytes, little-endian, row-major; a part of them where the reply is streamed.',
    },
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'NOT_COVERED', 'TOO_LARGE', 'OUT_OF_DOMAIN', 'QUARANTINED'],
  },
  query: {
    name: 'query',
    subject: PUBLIC.query,
    summary: 'Answers which partitions cover a box and what is missing.',
    request: control(querySchema),
    reply: control(queryReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'TOO_LARGE', 'OUT_OF_DOMAIN'],
  },
  steps: {
    name: 'steps',
    subject: PUBLIC.steps,
    summary: 'Lists the steps of a variable that are staged, or waits for the next covered one.',
    request: control(stepsRequestSchema),
    reply: control(stepsReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE'],
  },
  delete: {
    name: 'delete',
    subject: PUBLIC.delete,
    summary: 'Deletes steps, or the partitions of them that lie inside a box.',
    request: control(deleteSchema),
    reply: control(deleteReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'OUT_OF_DOMAIN'],
  },
  pin: {
    name: 'pin',
    subject: PUBLIC.pin,
    summary: 'Keeps steps in memory until they are unpinned.',
    request: control(pinSchema),
    reply: control(doneReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'TOO_LARGE'],
  },
  unpin: {
    name: 'unpin',
    subject: PUBLIC.unpin,
    summary: 'Lets pinned steps leave memory again.',
    request: control(pinSchema),
    reply: control(doneReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'TOO_LARGE'],
  },
  rollback: {
    name: 'run-rollback',
    subject: PUBLIC.rollback,
    summary: 'Supersedes and drops every step of a run above a given one, and begins the next epoch.',
    request: control(rollbackSchema),
    reply: control(rollbackReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'CONFLICT'],
  },
  storage: {
    name: 'storage',
    subject: PUBLIC.storage,
    summary: 'Answers the state and the use of memory, disk and streams.',
    request: control(emptySchema),
    reply: control(storageReplySchema),
    errors: ANY,
  },
  triggerRegister: {
    name: 'trigger-register',
    subject: PUBLIC.triggerRegister,
    summary: 'Registers a trigger; the same definition again changes nothing, a changed one is its next generation.',
    request: control(triggerDefinitionSchema),
    reply: control(registerReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'CONFLICT', 'STORAGE_FULL'],
  },
  triggerGet: {
    name: 'trigger-get',
    subject: PUBLIC.triggerGet,
    summary: 'Answers a trigger as it stands.',
    request: control(triggerNameSchema),
    reply: control(triggerReplySchema),
    errors: [...ANY, 'UNKNOWN_TRIGGER'],
  },
  triggerList: {
    name: 'trigger-list',
    subject: PUBLIC.triggerList,
    summary: 'Lists the registered triggers.',
    request: control(triggerListSchema),
    reply: control(triggerListReplySchema),
    errors: [...ANY, 'TOO_LARGE'],
  },
  triggerDelete: {
    name: 'trigger-delete',
    subject: PUBLIC.triggerDelete,
    summary: 'Deletes a trigger; its decisions stay readable.',
    request: control(triggerNameSchema),
    reply: control(triggerDeleteReplySchema),
    errors: [...ANY, 'UNKNOWN_TRIGGER'],
  },
  triggerEnable: {
    name: 'trigger-enable',
    subject: PUBLIC.triggerEnable,
    summary: 'Lets a trigger decide again, also the steps that are staged and undecided.',
    request: control(triggerNameSchema),
    reply: control(triggerReplySchema),
    errors: [...ANY, 'UNKNOWN_TRIGGER'],
  },
  triggerDisable: {
    name: 'trigger-disable',
    subject: PUBLIC.triggerDisable,
    summary: 'Stops a trigger from deciding until it is enabled.',
    request: control(triggerNameSchema),
    reply: control(triggerReplySchema),
    errors: [...ANY, 'UNKNOWN_TRIGGER'],
  },
  triggerTest: {
    name: 'trigger-test',
    subject: PUBLIC.triggerTest,
    summary: 'Evaluates a definition on staged steps without committing or acting.',
    request: control(triggerTestDocumentSchema),
    reply: control(triggerTestReplySchema),
    errors: [...ANY, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'TOO_LARGE'],
  },
  triggerExplain: {
    name: 'trigger-explain',
    subject: PUBLIC.triggerExplain,
    summary: 'Tells how a decision came about.',
    request: control(triggerExplainSchema),
    reply: control(explainReplySchema),
    errors: [...ANY, 'UNKNOWN_TRIGGER', 'NOT_FOUND'],
  },
  triggerDecisions: {
    name: 'trigger-decisions',
    subject: PUBLIC.triggerDecisions,
    summary: 'Lists the decisions of a trigger in the order in which they were committed.',
    request: control(triggerDecisionsSchema),
    reply: control(decisionsReplySchema),
    errors: [...ANY, 'UNKNOWN_TRIGGER'],
  },
  kernelPut: {
    name: 'kernel-put',
    subject: PUBLIC.kernelPut,
    summary: 'Stores a WebAssembly module whose exports checks and transforms may call.',
    request: { kind: 'data', required: [], optional: [HEADERS.accept], payload: 'The module.' },
    reply: control(kernelReplySchema),
    errors: [...ANY, 'TOO_LARGE', 'STORAGE_FULL'],
  },
  kernelList: {
    name: 'kernel-list',
    subject: PUBLIC.kernelList,
    summary: 'Lists the stored modules.',
    request: control(emptySchema),
    reply: control(kernelListReplySchema),
    errors: ANY,
  },
} as const satisfies Readonly<Record<keyof typeof PUBLIC, EndpointEntry>>;

/** What the subject of an upload ticket takes: chunks in any order, then the commit. */
export const UPLOAD_ENDPOINTS = {
  chunk: {
    name: 'put-chunk',
    subject: uploadSubject('{rawService}', '{uploadId}'),
    summary: 'Takes one chunk of an upload, in any order; the same chunk again does no harm.',
    request: {
      kind: 'data',
      required: [HEADERS.offset],
      optional: [],
      payload: 'The bytes from the offset on, at most `chunkBytes` of the ticket.',
    },
    reply: control(doneReplySchema),
    errors: PUT_ERRORS,
  },
  commit: {
    name: 'put-commit',
    subject: uploadSubject('{rawService}', '{uploadId}'),
    summary: 'Ends an upload and makes it visible as a whole; answered as the put.',
    request: { kind: 'data', required: [HEADERS.commit], optional: [] },
    reply: control(putReplySchema),
    errors: PUT_ERRORS,
  },
} as const satisfies Readonly<Record<string, EndpointEntry>>;

/** What is published for subscribers and workers. */
export const EVENTS = {
  storage: {
    name: 'storage-event',
    stream: 'TIDE_EVENTS',
    subject: storageEventSubject('{rawService}'),
    summary: 'The storage state of a raw-service changed.',
    schema: rawStorageSchema,
  },
  run: {
    name: 'run-event',
    stream: 'TIDE_EVENTS',
    subject: runEventSubject('{run}'),
    summary: 'A run was rolled back.',
    schema: runEventSchema,
  },
  trigger: {
    name: 'trigger-event',
    stream: 'TIDE_EVENTS',
    subject: `${ROOT}.event.trigger.{run}.{trigger}.{epoch}.{step}`,
    summary: 'A trigger fired, told once, as a CloudEvent in binary mode.',
    headers: [
      HEADERS.ceSpecVersion,
      HEADERS.ceId,
      HEADERS.ceSource,
      HEADERS.ceType,
      HEADERS.ceSubject,
      HEADERS.ceTime,
      HEADERS.ceDataContentType,
      HEADERS.decision,
    ],
    schema: triggerEventSchema,
  },
  task: {
    name: 'task',
    stream: 'TIDE_TASKS',
    subject: taskSubject('{task}'),
    summary: 'Work that a trigger asks for; pulled from the durable consumer that has the name of the task.',
    schema: taskBodySchema,
  },
  deadTask: {
    name: 'dead-task',
    stream: 'TIDE_TASKS_DEAD',
    subject: deadTaskSubject('{task}'),
    summary: 'A task that nobody acknowledged up to its last delivery.',
    schema: taskBodySchema,
  },
  steer: {
    name: 'steering',
    stream: 'TIDE_STEERING',
    subject: steerSubject('{run}'),
    summary: 'What a run is told to do; a receiver rejects what is not newer, by epoch and then decision and action.',
    schema: steerBodySchema,
  },
} as const satisfies Readonly<Record<string, EventEntry>>;
