import type { Bus, Incoming, Outgoing } from '@tidegate/bus';
import { HEADERS } from '@tidegate/protocol';

/** Answers of this size move best through NATS. */
const PART_BYTES = 1 << 19;
/** Left in a message for its headers. */
const HEADER_ROOM = 4096;
/** Parts are given to the connection so far ahead of what the server has taken. */
const FLUSH_BYTES = 4 << 20;

/**
 * A reply of any size: in one message where it fits one, else in parts, in order. Each says where it begins and how
 * much there is altogether, as a streaming get does.
 *
 * @returns the only message; undefined once all parts are sent
 */
export async function replyInParts(
  bus: Pick<Bus, 'maxPayload'>,
  request: Pick<Incoming, 'send' | 'flush'>,
  data: Uint8Array,
): Promise<Outgoing | undefined> {
  const headers = (offset: number) => ({
    [HEADERS.offset]: String(offset),
    [HEADERS.totalBytes]: String(data.length),
  });
  const largest = bus.maxPayload - HEADER_ROOM;
  if (data.length <= largest) return { data, headers: headers(0) };
  const part = Math.min(PART_BYTES, largest);
  let unflushed = 0;
  for (let offset = 0; offset < data.length; offset += part) {
    const bytes = data.subarray(offset, offset + part);
    request.send(bytes, headers(offset));
    unflushed += bytes.length;
    if (unflushed < FLUSH_BYTES) continue;
    unflushed = 0;
    await request.flush();
  }
  return undefined;
}
