import { decode, encode } from '@msgpack/msgpack';
import { BadRequestError } from './errors.js';

/** Encoding of a control body. */
export type Encoding = 'json' | 'msgpack';

const OPEN_BRACE = 0x7b;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const toUtf8 = new TextEncoder();
/** Bounds that keep a hostile MessagePack body from claiming lengths that it does not have. */
const LIMITS = {
  maxStrLength: 1 << 24,
  maxBinLength: 1 << 24,
  maxArrayLength: 1 << 20,
  maxMapLength: 1 << 16,
  maxExtLength: 0,
};

/** A control body and the encoding that its reply must have. */
export interface ControlBody {
  readonly map: Readonly<Record<string, unknown>>;
  readonly encoding: Encoding;
}

/**
 * Reads a control body: JSON where the first byte is `{`, otherwise MessagePack; an empty body is `{}` in JSON.
 *
 * @throws BadRequestError where the body is neither, or is not a map
 */
export function decodeBody(bytes: Uint8Array): ControlBody {
  if (bytes.length === 0) return { map: {}, encoding: 'json' };
  const encoding = bytes[0] === OPEN_BRACE ? 'json' : 'msgpack';
  let value: unknown;
  try {
    value = encoding === 'json' ? JSON.parse(utf8.decode(bytes)) : decode(bytes, LIMITS);
  } catch (cause) {
    const name = encoding === 'json' ? 'JSON' : 'MessagePack (a JSON body starts with "{")';
    throw new BadRequestError(
      'body',
      `expected a map in JSON or MessagePack, got ${bytes.length} bytes that are no valid ${name}`,
      {
        cause,
      },
    );
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    value instanceof Uint8Array ||
    value instanceof Date
  ) {
    throw new BadRequestError(
      'body',
      `expected a map, got ${Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`}`,
    );
  }
  return { map: { ...value }, encoding };
}

/** Writes a control body. */
export function encodeBody(value: unknown, encoding: Encoding): Uint8Array {
  return encoding === 'json' ? toUtf8.encode(JSON.stringify(value)) : encode(value, { ignoreUndefined: true });
}
