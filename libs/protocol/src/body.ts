import { decode, encode } from '@msgpack/msgpack';
import { isJsonTooDeep, MAX_DEPTH, messagePackFault } from './body-bounds.js';
import { BadRequestError } from './errors.js';

/** Encoding of a control body. */
export type Encoding = 'json' | 'msgpack';

const OPEN_BRACE = 0x7b;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const toUtf8 = new TextEncoder();
/** A control body and the encoding that its reply must have. */
export interface ControlBody {
  readonly map: Readonly<Record<string, unknown>>;
  readonly encoding: Encoding;
}

function refuse(bytes: Uint8Array, why: string, cause?: unknown): BadRequestError {
  return new BadRequestError(
    'body',
    `expected a map in JSON or MessagePack, got ${bytes.length} bytes that are no valid ${why}`,
    cause === undefined ? undefined : { cause },
  );
}

function readJson(bytes: Uint8Array): unknown {
  if (isJsonTooDeep(bytes)) throw refuse(bytes, `JSON of at most ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw refuse(bytes, 'JSON', cause);
  }
}

function readMessagePack(bytes: Uint8Array): unknown {
  const fault = messagePackFault(bytes);
  if (fault !== undefined) throw refuse(bytes, `MessagePack: ${fault} (a JSON body starts with "{")`);
  try {
    return decode(bytes);
  } catch (cause) {
    throw refuse(bytes, 'MessagePack: keys must be texts, and not "__proto__"', cause);
  }
}

/**
 * Reads a control body: JSON where the first byte is `{`, otherwise MessagePack; an empty body is `{}` in JSON.
 * Bodies that nest deeper than 64, texts that are not UTF-8, and MessagePack extension types are refused.
 *
 * @throws BadRequestError where the body is neither, or is not a map
 */
export function decodeBody(bytes: Uint8Array): ControlBody {
  if (bytes.length === 0) return { map: {}, encoding: 'json' };
  const encoding = bytes[0] === OPEN_BRACE ? 'json' : 'msgpack';
  const value = encoding === 'json' ? readJson(bytes) : readMessagePack(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new BadRequestError('body', `expected a map, got ${kindOf(value)}`);
  }
  return { map: { ...value }, encoding };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return value instanceof Uint8Array ? 'bytes' : `a ${typeof value}`;
}

/** Writes a control body; nothing is the empty body, which reads as `{}`. */
export function encodeBody(value: unknown, encoding: Encoding): Uint8Array {
  if (value === undefined) return new Uint8Array(0);
  return encoding === 'json' ? toUtf8.encode(JSON.stringify(value)) : encode(value, { ignoreUndefined: true });
}
