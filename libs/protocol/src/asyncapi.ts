import { z } from 'zod';
import type { ControlMessage, DataMessage, EndpointEntry, EventEntry } from './endpoint-entry.js';
import { ENDPOINTS, UPLOAD_ENDPOINTS } from './endpoint-table.js';
import { ERROR_CODES, errorBodySchema } from './error-schema.js';
import { ERROR_TABLE } from './error-table.js';
import { EVENTS } from './event-table.js';
import { HEADER_SCHEMAS } from './header-schema.js';
import { HEADERS } from './headers.js';

type Json = { [key: string]: unknown };

const ERROR_MESSAGE = 'error';
const INTRODUCTION = `Data staging for simulations and instruments, from any NATS client.

Control bodies are maps. A body whose first byte is "{" is JSON, anything else is MessagePack; the reply has the encoding
of the request, and an empty body means {}. Unknown keys are an error. Data requests have their description in headers and
raw bytes (little-endian, row-major) as payload. Replies go to the reply subject of the request.`;

/** What stands for a token of a subject. */
const PARAMETERS: Readonly<Record<string, string>> = {
  rawService: 'Id of a raw-service.',
  uploadId: 'Id of the upload, from its ticket: take the whole subject from there.',
  run: 'Name of the run.',
  trigger: 'Full name of the trigger, `parent~child` for a nested one.',
  epoch: 'Epoch of the run.',
  step: 'Step.',
  task: 'Name of the task.',
};

function reference(...path: readonly string[]): Json {
  return { $ref: `#/${path.join('/')}` };
}

/** The schema of a message's payload. `name` is the message's: what is recursive refers to itself there. */
function payloadSchema(name: string, schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  const { $ref: definitions } = reference('components', 'messages', name, 'payload', 'definitions', '');
  return JSON.parse(JSON.stringify(rest).replaceAll('"#/definitions/', `"${definitions}`)) as Json;
}

function headersSchema({ required, optional }: Pick<DataMessage, 'required' | 'optional'>): Json {
  const properties: Json = {};
  for (const name of [...required, ...optional]) properties[name] = { ...HEADER_SCHEMAS[name] };
  return { type: 'object', properties, required: [...required] };
}

function message(name: string, title: string, content: ControlMessage | DataMessage): Json {
  if (content.kind === 'control') {
    return { name, title, contentType: 'application/json', payload: payloadSchema(name, content.schema) };
  }
  const { payload } = content;
  return {
    name,
    title,
    contentType: 'application/octet-stream',
    headers: headersSchema(content),
    ...(payload !== undefined && { payload: { type: 'string', format: 'binary', description: payload } }),
  };
}

function errorMessage(): Json {
  const rows = ERROR_CODES.map((code) => `| ${ERROR_TABLE[code].status} | ${code} | ${ERROR_TABLE[code].retryable} |`);
  return {
    name: ERROR_MESSAGE,
    title: 'Error reply',
    summary: 'Told from other replies by its headers.',
    description: ['| status | code | retryable |', '| --- | --- | --- |', ...rows].join('\n'),
    contentType: 'application/json',
    headers: headersSchema({ required: [HEADERS.errorCode, HEADERS.error], optional: [] }),
    payload: { oneOf: ERROR_CODES.map((code) => payloadSchema(ERROR_MESSAGE, errorBodySchema(code))) },
  };
}

function parametersOf(subject: string): Json {
  const names = Array.from(subject.matchAll(/\{(\w+)\}/g), (match) => match[1] ?? '');
  if (names.length === 0) return {};
  return { parameters: Object.fromEntries(names.map((name) => [name, { description: PARAMETERS[name] ?? name }])) };
}

interface Parts {
  readonly channels: Record<string, Json>;
  readonly operations: Record<string, Json>;
  readonly messages: Record<string, Json>;
}

/** Adds the operations whose requests go to one subject, each with a reply channel of its own. */
function addEndpoints(parts: Parts, channel: string, entries: Readonly<Record<string, EndpointEntry>>): void {
  const requests: Json = {};
  for (const [key, entry] of Object.entries(entries)) {
    const { name, subject, summary, request, reply, errors } = entry;
    parts.messages[`${key}Request`] = message(`${key}Request`, `Request of ${name}`, request);
    parts.messages[`${key}Reply`] = message(`${key}Reply`, `Reply of ${name}`, reply);
    requests[`${key}Request`] = reference('components', 'messages', `${key}Request`);
    parts.channels[channel] = { address: subject, messages: requests, ...parametersOf(subject) };
    parts.channels[`${key}Reply`] = {
      address: null,
      description: `The reply subject of the request to ${subject}.`,
      messages: {
        [`${key}Reply`]: reference('components', 'messages', `${key}Reply`),
        [ERROR_MESSAGE]: reference('components', 'messages', ERROR_MESSAGE),
      },
    };
    parts.operations[key] = {
      action: 'receive',
      title: name,
      summary,
      description: `Errors: ${errors.join(', ')}.`,
      channel: reference('channels', channel),
      messages: [reference('channels', channel, 'messages', `${key}Request`)],
      reply: {
        channel: reference('channels', `${key}Reply`),
        messages: [
          reference('channels', `${key}Reply`, 'messages', `${key}Reply`),
          reference('channels', `${key}Reply`, 'messages', ERROR_MESSAGE),
        ],
      },
      'x-error-codes': [...errors],
    };
  }
}

function addEvent(parts: Parts, key: string, entry: EventEntry): void {
  const { name, stream, headers, subject, summary, schema } = entry;
  parts.messages[key] = {
    ...message(key, name, { kind: 'control', schema }),
    ...(headers && { headers: headersSchema({ required: headers, optional: [] }) }),
  };
  parts.channels[key] = {
    address: subject,
    description: `On the JetStream stream ${stream}.`,
    messages: { [key]: reference('components', 'messages', key) },
    ...parametersOf(subject),
  };
  parts.operations[key] = {
    action: 'send',
    title: name,
    summary,
    channel: reference('channels', key),
    messages: [reference('channels', key, 'messages', key)],
  };
}

/**
 * The public contract as an AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0), made
 * of the tables that the services use. Always the same object, key order included; ready for JSON.stringify.
 */
export function asyncApiDocument(): object {
  const parts: Parts = { channels: {}, operations: {}, messages: { [ERROR_MESSAGE]: errorMessage() } };
  for (const [key, entry] of Object.entries(ENDPOINTS)) addEndpoints(parts, key, { [key]: entry });
  addEndpoints(parts, 'upload', UPLOAD_ENDPOINTS);
  for (const [key, entry] of Object.entries(EVENTS)) addEvent(parts, `${key}Event`, entry);
  // A copy, since lists of the tables and of zod's schemas stand in it.
  return structuredClone({
    asyncapi: '3.0.0',
    info: {
      title: 'Tidegate',
      version: '1.0.0',
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: { host: '127.0.0.1:4222', protocol: 'nats', description: 'The server that `tidegate up` starts.' },
    },
    channels: parts.channels,
    operations: parts.operations,
    components: { messages: parts.messages },
  });
}
