import { decode } from '@msgpack/msgpack';
import type { Bus, Message } from '@tidegate/bus';
import {
  type CheckRequest,
  type CheckResult,
  encodeBody,
  HEADERS,
  type RawId,
  rawSubject,
  UnavailableError,
} from '@tidegate/protocol';

/** Largest reply that is taken: partial results of the pieces of one request. */
const REPLY_BYTES = 256 << 20;
/** A raw-service gives up this much earlier than its caller, so that its refusal is heard. */
const MARGIN_MS = 250;

/**
 * Has a raw-service run one round of checks on pieces that it holds: one attempt.
 *
 * @returns a result for each piece of the request, in its order
 * @throws as `Bus.request`, and UnavailableError for a reply that is none
 */
export async function requestCheck(
  bus: Bus,
  raw: RawId,
  request: Omit<CheckRequest, 'deadlineMs'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<readonly CheckResult[]> {
  const body: CheckRequest = { ...request, deadlineMs: Math.max(1, Math.round(timeoutMs - MARGIN_MS)) };
  const reply = new JoinedReply();
  await bus.requestStream(rawSubject(raw, 'check'), encodeBody(body, 'json'), { timeoutMs, signal }, (message) =>
    reply.take(message),
  );
  const results = readResults(reply.bytes);
  if (results?.length === request.pieces.length) return results;
  throw new UnavailableError(
    `raw-service ${raw} answered a check of ${request.pieces.length} pieces with something else`,
    0,
  );
}

/** A reply of one message, or of several that tell their place. */
export class JoinedReply {
  #bytes = new Uint8Array();
  #received = 0;

  /** @throws UnavailableError for a part that is out of place */
  take(message: Message): 'more' | 'done' {
    const total = message.header(HEADERS.totalBytes);
    if (total === '') {
      this.#bytes = message.data.slice();
      return 'done';
    }
    const size = Number(total);
    if (this.#received === 0) {
      if (!(size <= REPLY_BYTES)) throw new UnavailableError(`a reply of ${size} bytes is too large`, 0);
      this.#bytes = new Uint8Array(size);
    }
    const offset = Number(message.header(HEADERS.offset));
    if (offset !== this.#received || size !== this.#bytes.length || offset + message.data.length > size) {
      throw new UnavailableError(`expected the part of a reply at byte ${this.#received}, got the one at ${offset}`, 0);
    }
    this.#bytes.set(message.data, offset);
    this.#received += message.data.length;
    return this.#received < size ? 'more' : 'done';
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}

function readResults(bytes: Uint8Array): readonly CheckResult[] | undefined {
  let reply: unknown;
  try {
    reply = decode(bytes);
  } catch {
    return undefined;
  }
  if (typeof reply !== 'object' || reply === null || !('results' in reply) || !Array.isArray(reply.results)) {
    return undefined;
  }
  return reply.results.every(isResult) ? reply.results : undefined;
}

function isResult(value: unknown): value is CheckResult {
  if (typeof value !== 'object' || value === null) return false;
  if ('partial' in value) return value.partial instanceof Uint8Array;
  if ('failure' in value) return typeof value.failure === 'string';
  return 'gone' in value && value.gone === true;
}
