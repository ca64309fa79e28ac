import { ANY_ERRORS, control, type EndpointEntry } from './endpoint-entry.js';
import type { ErrorCode } from './error-table.js';
import { HEADERS } from './headers.js';
import {
  deleteReplySchema,
  doneReplySchema,
  putReplySchema,
  queryReplySchema,
  rollbackReplySchema,
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
import { PUBLIC, uploadSubject } from './subjects.js';
import { TRIGGER_ENDPOINTS } from './trigger-endpoint-table.js';
import { declareSchema, emptySchema, variableNameSchema } from './variable-schema.js';

const PUT_ERRORS: readonly ErrorCode[] = [
  ...ANY_ERRORS,
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
    errors: [...ANY_ERRORS, 'CONFLICT'],
  },
  variableGet: {
    name: 'variable-get',
    subject: PUBLIC.variableGet,
    summary: 'Answers the record of a variable.',
    request: control(variableNameSchema),
    reply: control(variableReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE'],
  },
  variableList: {
    name: 'variable-list',
    subject: PUBLIC.variableList,
    summary: 'Lists the declared variables.',
    request: control(emptySchema),
    reply: control(variableListReplySchema),
    errors: ANY_ERRORS,
  },
  variableDelete: {
    name: 'variable-delete',
    subject: PUBLIC.variableDelete,
    summary: 'Deletes a variable with its partitions and triggers.',
    request: control(variableNameSchema),
    reply: control(deleteReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE'],
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
    errors: [
      ...ANY_ERRORS,
      'UNKNOWN_VARIABLE',
      'NOT_FOUND',
      'NOT_COVERED',
      'TOO_LARGE',
      'OUT_OF_DOMAIN',
      'QUARANTINED',
    ],
  },
  query: {
    name: 'query',
    subject: PUBLIC.query,
    summary: 'Answers which partitions cover a box and what is missing.',
    request: control(querySchema),
    reply: control(queryReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'NOT_FOUND', 'TOO_LARGE', 'OUT_OF_DOMAIN'],
  },
  steps: {
    name: 'steps',
    subject: PUBLIC.steps,
    summary: 'Lists the steps of a variable that are staged, or waits for the next covered one.',
    request: control(stepsRequestSchema),
    reply: control(stepsReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE'],
  },
  delete: {
    name: 'delete',
    subject: PUBLIC.delete,
    summary: 'Deletes steps, or the partitions of them that lie inside a box.',
    request: control(deleteSchema),
    reply: control(deleteReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'OUT_OF_DOMAIN'],
  },
  pin: {
    name: 'pin',
    subject: PUBLIC.pin,
    summary: 'Keeps steps in memory until they are unpinned.',
    request: control(pinSchema),
    reply: control(doneReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'TOO_LARGE'],
  },
  unpin: {
    name: 'unpin',
    subject: PUBLIC.unpin,
    summary: 'Lets pinned steps leave memory again.',
    request: control(pinSchema),
    reply: control(doneReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'TOO_LARGE'],
  },
  rollback: {
    name: 'run-rollback',
    subject: PUBLIC.rollback,
    summary: 'Supersedes and drops every step of a run above a given one, and begins the next epoch.',
    request: control(rollbackSchema),
    reply: control(rollbackReplySchema),
    errors: [...ANY_ERRORS, 'UNKNOWN_VARIABLE', 'CONFLICT'],
  },
  storage: {
    name: 'storage',
    subject: PUBLIC.storage,
    summary: 'Answers the state and the use of memory, disk and streams.',
    request: control(emptySchema),
    reply: control(storageReplySchema),
    errors: ANY_ERRORS,
  },
  ...TRIGGER_ENDPOINTS,
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
