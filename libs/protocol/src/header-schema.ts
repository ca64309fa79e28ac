import { DTYPES } from '@tidegate/array';
import { HEADERS } from './headers.js';

/** JSON schema of one header's text. */
export interface HeaderSchema {
  readonly type: 'string';
  readonly description: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly default?: string;
}

const NAME = '^[A-Za-z0-9_-]{1,64}$';
const NUMBER = '^(0|[1-9][0-9]{0,15})$';
const BOX = '^[0-9]+:[0-9]+(,[0-9]+:[0-9]+){0,5}$';

function text(description: string, pattern?: string): HeaderSchema {
  return { type: 'string', description, ...(pattern !== undefined && { pattern }) };
}

function choice(description: string, values: readonly string[]): HeaderSchema {
  return { type: 'string', description, enum: values };
}

/** What each header of the contract holds, by its name on the wire. */
export const HEADER_SCHEMAS: Readonly<Record<(typeof HEADERS)[keyof typeof HEADERS], HeaderSchema>> = {
  [HEADERS.variable]: text('Name of the variable.', NAME),
  [HEADERS.step]: text('Step, an integer 0 … 2^53-1. A get also takes `latest` or `next:<n>`.'),
  [HEADERS.box]: text('Half-open box `lo:hi,lo:hi`; without it the whole domain.', BOX),
  [HEADERS.run]: { ...text('Run.', NAME), default: 'default' },
  [HEADERS.id]: text('ULID chosen by the writer: makes the put idempotent.', '^[0-7][0-9A-HJKMNP-TV-Z]{25}$'),
  [HEADERS.wait]: { ...text('Milliseconds to wait, at most one day.', NUMBER), default: '0' },
  [HEADERS.annotation]: text('Id of a stored annotation (`sha256:…`), or the annotation as one line of JSON.'),
  [HEADERS.derivedFrom]: text('JSON list of `{run?, variable, step, box?}` that the data was made from.'),
  [HEADERS.activity]: text('Id of the activity or event that made the data, at most 512 characters.'),
  [HEADERS.digest]: text('Digest of the payload, which is checked.', '^sha256:[0-9a-f]{64}$'),
  [HEADERS.stream]: choice('Whether an array larger than a message may come as several.', ['true', 'false']),
  [HEADERS.offset]: text('Offset of this payload, in bytes.', NUMBER),
  [HEADERS.commit]: choice('Ends the upload: makes it visible as a whole.', ['true']),
  [HEADERS.totalBytes]: text('Bytes of the whole array that comes in several messages.', NUMBER),
  [HEADERS.dtype]: choice('Element type; little-endian.', DTYPES),
  [HEADERS.shape]: text('Shape of the array in the payload, `n,n,…`, row-major.', '^[0-9]+(,[0-9]+){0,5}$'),
  [HEADERS.epoch]: text('Epoch of the run.', NUMBER),
  [HEADERS.index]: text('Number of this object among those of the reply, from 0.', NUMBER),
  [HEADERS.count]: text('Number of objects of the reply.', NUMBER),
  [HEADERS.quarantined]: choice('Lets data under quarantine be read.', ['allow']),
  [HEADERS.accept]: choice('Encoding of the control part of the reply.', ['application/json', 'application/msgpack']),
  [HEADERS.decision]: text('Sequence of the decision in the decision log.', NUMBER),
  [HEADERS.verdict]: choice('Verdict of the decision.', ['fired', 'quiet', 'unknown']),
  [HEADERS.ceSpecVersion]: choice('Version of CloudEvents.', ['1.0']),
  [HEADERS.ceId]: text('Id of the event, made of its decision: the same however often it is published.'),
  [HEADERS.ceSource]: text('What the event is of: `/tidegate/trigger/<name>`.'),
  [HEADERS.ceType]: text('Kind of the event.'),
  [HEADERS.ceSubject]: text('Variable and box that the event is about: `<variable>/<box>`.'),
  [HEADERS.ceTime]: text('When the decision was committed, RFC 3339.'),
  [HEADERS.ceDataContentType]: choice('Media type of the body.', ['application/json']),
  [HEADERS.errorCode]: text('Status of the error.', '^[45][0-9]{2}$'),
  [HEADERS.error]: text('The error in one line.'),
};
