import { StorageFullError, UnavailableError } from '@tidegate/protocol';
import type { Bus } from './bus.js';
import { NoResponderError } from './bus-errors.js';
import type { HeaderMap } from './message.js';

/** What JetStream answers a request of its API or a publish that it refused. */
export class JetStreamError extends Error {
  override readonly name = 'JetStreamError';
  /** JetStream's own number of the error. */
  readonly errCode: number;

  constructor(operation: string, errCode: number, description: string) {
    super(`${operation}: ${description} (JetStream error ${errCode})`);
    this.errCode = errCode;
  }
}

/** Numbers of JetStream errors that are acted upon. */
export const JS_ERROR = {
  consumerNotFound: 10014,
  noMessage: 10037,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  subjectsOverlap: 10065,
  wrongLastSequence: 10071,
} as const;

/** `insufficient resources`, `insufficient storage resources`, `maximum bytes exceeded`. */
const FULL: ReadonlySet<number> = new Set([10023, 10047, 10077]);
const FULL_RETRY_MS = 1000;
/** How long the server may take for one API request or one publish. */
export const JETSTREAM_TIMEOUT_MS = 5000;

interface ApiReply {
  readonly error?: { readonly err_code?: number; readonly code: number; readonly description?: string };
}

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();
const EMPTY = new Uint8Array();

function checked<T>(operation: string, data: Uint8Array): T {
  const reply = JSON.parse(utf8.decode(data)) as ApiReply;
  if (!reply.error) return reply as T;
  const { err_code: errCode = 0, description = 'unknown error' } = reply.error;
  const error = new JetStreamError(operation, errCode, description);
  if (!FULL.has(errCode)) throw error;
  const fields = {
    retryAfterMs: FULL_RETRY_MS,
    state: 'full',
    limit: 'stream',
    usedBytes: 0,
    limitBytes: 0,
    needBytes: 0,
  } as const;
  throw Object.assign(new StorageFullError(`JetStream has no room: ${error.message}`, fields), { cause: error });
}

/**
 * Calls JetStream's API, `STREAM.INFO.<name>` say. Its JSON is used as it stands, since the client's own wrappers wait
 * out a whole time-out where the connection is lost.
 *
 * @throws JetStreamError, StorageFullError, UnavailableError, AttemptTimeoutError
 */
export async function jetStreamApi<T>(
  bus: Bus,
  operation: string,
  body?: object,
  timeoutMs = JETSTREAM_TIMEOUT_MS,
): Promise<T> {
  const payload = body ? toUtf8.encode(JSON.stringify(body)) : EMPTY;
  try {
    const reply = await bus.request(`$JS.API.${operation}`, payload, { timeoutMs });
    return checked<T>(operation, reply.data);
  } catch (error) {
    if (!(error instanceof NoResponderError)) throw error;
    throw new UnavailableError('JetStream is not enabled on the NATS server, or has no leader now', 500, {
      cause: error,
    });
  }
}

export interface PublishOptions {
  readonly headers?: HeaderMap;
  readonly timeoutMs?: number;
}

/** The acknowledgement of a stored message. */
export interface PublishAck {
  readonly seq: number;
  readonly duplicate?: boolean;
}

/**
 * Stores a message in the stream that takes its subject.
 *
 * @throws JetStreamError (10071 where an expected sequence was wrong), StorageFullError, NoResponderError; after
 *   AttemptTimeoutError and DisconnectedError it is unknown whether it was stored
 */
export async function publishStored(
  bus: Bus,
  subject: string,
  data: Uint8Array,
  { headers, timeoutMs = JETSTREAM_TIMEOUT_MS }: PublishOptions = {},
): Promise<PublishAck> {
  const reply = await bus.request(subject, data, { timeoutMs, ...(headers && { headers }) });
  return checked<PublishAck>(`publish to ${subject}`, reply.data);
}

/** True for a certain JetStream error. */
export function isJetStreamError(error: unknown, errCode: number): boolean {
  return error instanceof JetStreamError && error.errCode === errCode;
}
