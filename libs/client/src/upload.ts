import { AttemptTimeoutError, type Bus, retrying } from '@tidegate/bus';
import { formatBox } from '@tidegate/geometry';
import {
  HEADERS,
  NotFoundError,
  type PutReply,
  rawSubject,
  UnavailableError,
  type UploadTicket,
} from '@tidegate/protocol';
import type { PutMessage, PutOptions } from './put.js';

/** A chunk or the commit is sent again after so long without an answer; both are idempotent. */
const CHUNK_MS = 3000;
const CHUNK_TRIES = 3;

/**
 * Puts a partition in chunks: room is reserved first, the chunks go in parallel within the window that the service
 * grants, a commit makes the whole visible at once.
 */
export async function upload(
  bus: Bus,
  raw: string,
  put: PutMessage,
  options: PutOptions & { readonly timeoutMs: number },
): Promise<PutReply> {
  const { signal, onProgress } = options;
  const { data, box, ...descriptor } = put;
  const ticket = await bus.requestJson<UploadTicket>(
    rawSubject(raw, 'open'),
    { ...descriptor, box: formatBox(box), bytes: data.length, wait: options.waitMs },
    { timeoutMs: options.timeoutMs, ...(signal && { signal }) },
  );
  const lanes = new AbortController();
  const until = signal ? AbortSignal.any([signal, lanes.signal]) : lanes.signal;
  const send = (payload: Uint8Array, headers: Record<string, string>, timeoutMs: number) => {
    let tries = 0;
    return retrying(
      (remainingMs) => {
        tries++;
        return bus.request(ticket.subject, payload, {
          headers,
          timeoutMs: Math.min(remainingMs, timeoutMs),
          signal: until,
        });
      },
      {
        deadline: options.deadline,
        signal: until,
        retryOn: (error: unknown) => error instanceof AttemptTimeoutError && tries < CHUNK_TRIES,
      },
    );
  };
  let next = 0;
  let sent = 0;
  const lane = async () => {
    while (next < data.length) {
      const offset = next;
      const end = Math.min(data.length, offset + ticket.chunkBytes);
      next = end;
      await send(data.subarray(offset, end), { [HEADERS.offset]: String(offset) }, CHUNK_MS);
      sent += end - offset;
      onProgress?.(sent);
    }
  };
  try {
    await Promise.all(Array.from({ length: ticket.window }, lane));
    const reply = await send(new Uint8Array(), { [HEADERS.commit]: 'true' }, options.timeoutMs);
    return JSON.parse(new TextDecoder().decode(reply.data)) as PutReply;
  } catch (error) {
    lanes.abort(error);
    if (error instanceof NotFoundError)
      throw new UnavailableError(`raw-service ${raw} lost the upload`, 1, { cause: error });
    throw error;
  }
}
