import { type Bus, retrying } from '@tidegate/bus';
import type { Box } from '@tidegate/geometry';
import { formatBox } from '@tidegate/geometry';
import {
  HEADERS,
  isTidegateError,
  type PutReply,
  type RegionRef,
  rawSubject,
  StorageFullError,
  UnavailableError,
} from '@tidegate/protocol';
import { watched, watchPut } from './put-watch.js';
import type { RawChoice } from './raw-choice.js';
import { upload } from './upload.js';

/** A put as the SDK sends it. */
export interface PutMessage {
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly box: Box;
  readonly id: string;
  readonly data: Uint8Array;
  readonly annotation?: string;
  readonly derivedFrom?: readonly RegionRef[];
  readonly activity?: string;
  readonly digest?: string;
}

export interface PutOptions {
  /** Milliseconds to wait for room where every raw-service is full. */
  readonly waitMs: number;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
}

/** An attempt may take so long, and a millisecond more for every so many bytes, before another service is asked. */
const ATTEMPT_MS = 8000;
const BYTES_PER_MS = 20_000;
/** Room in a message for a put's headers. */
const HEADER_ROOM = 4096;
/** Larger puts go in chunks even where the server would take them whole: several smaller messages move faster. */
const WHOLE_BYTES = 4 << 20;

const utf8 = new TextDecoder();

/** Headers of a put. */
export function putHeaders(put: PutMessage, waitMs: number): Record<string, string> {
  return {
    [HEADERS.variable]: put.variable,
    [HEADERS.step]: String(put.step),
    [HEADERS.box]: formatBox(put.box),
    [HEADERS.id]: put.id,
    ...(put.run !== 'default' && { [HEADERS.run]: put.run }),
    ...(waitMs > 0 && { [HEADERS.wait]: String(waitMs) }),
    ...(put.annotation !== undefined && { [HEADERS.annotation]: put.annotation }),
    ...(put.derivedFrom !== undefined && { [HEADERS.derivedFrom]: JSON.stringify(put.derivedFrom) }),
    ...(put.activity !== undefined && { [HEADERS.activity]: put.activity }),
    ...(put.digest !== undefined && { [HEADERS.digest]: put.digest }),
  };
}

function headerBytes(headers: Record<string, string>): number {
  let bytes = 64;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length * 3 + 4;
  return bytes;
}

/**
 * Puts a partition at one of the live raw-services. Where one does not answer, is gone or has no room, the same put
 * (by its id, so it is stored once) goes to another one, until the deadline.
 *
 * @throws the typed error of the last answer; TimeoutError at the deadline
 */
export async function putPartition(
  bus: Bus,
  choice: RawChoice,
  put: PutMessage,
  options: PutOptions,
): Promise<PutReply> {
  const full = new Set<string>();
  let waiting = false;
  const send = retrying(async (remainingMs) => {
    const raw = choice.next(full);
    if (raw === undefined) throw new UnavailableError('no raw-service is live', 100);
    const waitMs = waiting ? Math.min(options.waitMs, remainingMs) : 0;
    try {
      return await attempt(bus, raw, put, { ...options, waitMs, remainingMs });
    } catch (error) {
      if (!isTidegateError(error)) throw error;
      if (error instanceof StorageFullError) {
        full.add(raw);
        // Every service was asked without a wait; from now on one of them is waited at, if the caller wants that.
        if (full.size < choice.size) throw new UnavailableError(error.message, 1, { cause: error });
        full.clear();
        if (waiting || options.waitMs === 0) throw error;
        waiting = true;
        throw new UnavailableError(error.message, 1, { cause: error });
      }
      if (error.code === 'UNAVAILABLE' || error.code === 'TIMEOUT') choice.suspect(raw);
      throw error;
    }
  }, options);
  return send.catch((error: unknown) => {
    throw error instanceof UnavailableError && error.cause instanceof StorageFullError ? error.cause : error;
  });
}

async function attempt(
  bus: Bus,
  raw: string,
  put: PutMessage,
  options: PutOptions & { readonly remainingMs: number },
): Promise<PutReply> {
  const headers = putHeaders(put, options.waitMs);
  const whole = Math.min(WHOLE_BYTES, bus.maxPayload - Math.max(HEADER_ROOM, headerBytes(headers)));
  const timeoutMs = Math.min(options.remainingMs, ATTEMPT_MS + options.waitMs + put.data.length / BYTES_PER_MS);
  if (put.data.length > whole) return upload(bus, raw, put, { ...options, timeoutMs });
  const sent = bus.request(rawSubject(raw, 'put'), put.data, {
    headers,
    timeoutMs,
    ...(options.signal && { signal: options.signal }),
  });
  const reply = sent.then(({ data }) => {
    options.onProgress?.(put.data.length);
    return JSON.parse(utf8.decode(data)) as PutReply;
  });
  return watched(reply, (signal) => watchPut(bus, raw, put.id, signal));
}
