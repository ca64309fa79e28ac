/** Deepest nesting of a control body: what reads it further on may recurse. */
export const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Maps `[` to `{` and `]` to `}`. */
const BRACKET_BIT = 0x20;

/** True where JSON text nests deeper than `MAX_DEPTH`. Text that is no JSON gets an answer, too. */
export function isJsonTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
      continue;
    }
    const bracket = byte | BRACKET_BIT;
    if (bracket === OPEN) {
      if (++depth > MAX_DEPTH) return true;
    } else if (bracket === CLOSE) depth--;
  }
  return false;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Bytes that follow the heads 0xc0 … 0xdf: the value itself, or the length of what follows. -1: not accepted. */
const HEAD_BYTES = [
  0, -1, 0, 0, 1, 2, 4, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, 1, 2, 4, 2, 4, 2, 4,
] as const;

function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to && (bytes[at] as number) < 0x80) at++;
  if (at === to) return true;
  try {
    utf8.decode(bytes.subarray(at, to));
    return true;
  } catch {
    return false;
  }
}

/**
 * What stands against decoding a MessagePack value, or undefined. Lengths are checked against the bytes that are there
 * before anything is allocated for them: five bytes may claim an array of 2^32 entries, and a decoder that believes
 * each of some hundred nested ones fills the memory. Extension types are refused: control bodies have none.
 */
export function messagePackFault(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values still to come in each open container. */
  const left = new Float64Array(MAX_DEPTH + 1);
  left[0] = 1;
  let depth = 0;
  /** Values still to come in all; each takes a byte at least. */
  let owed = 1;
  let at = 0;
  while (owed > 0) {
    if (owed > bytes.length - at) return 'it ends too early';
    while (left[depth] === 0) depth--;
    left[depth] = (left[depth] as number) - 1;
    owed--;
    const head = bytes[at++] as number;
    if (head < 0x80 || head >= 0xe0) continue;
    let length = head < 0xa0 ? head & 0x0f : head & 0x1f;
    if (head >= 0xc0) {
      const size = HEAD_BYTES[head - 0xc0] as number;
      if (size < 0) return `type byte 0x${head.toString(16)} is not accepted`;
      if (size > bytes.length - at) return 'it ends too early';
      length = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : size === 4 ? view.getUint32(at) : 0;
      at += size;
    }
    const isMap = head < 0x90 || head >= 0xde;
    if (isMap || head < 0xa0 || head >= 0xdc) {
      const values = isMap ? 2 * length : length;
      if (values === 0) continue;
      if (++depth > MAX_DEPTH) return `it nests deeper than ${MAX_DEPTH}`;
      left[depth] = values;
      owed += values;
      continue;
    }
    const isText = head < 0xc0 || head >= 0xd9;
    if (!isText && (head < 0xc4 || head > 0xc6)) continue;
    if (length > bytes.length - at) return 'it ends too early';
    if (isText && !isUtf8(bytes, at, at + length)) return 'a text is not UTF-8';
    at += length;
  }
  return at < bytes.length ? `${bytes.length - at} bytes follow its end` : undefined;
}
