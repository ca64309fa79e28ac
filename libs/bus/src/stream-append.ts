import type { Bus } from './bus.js';
import { isJetStreamError, JS_ERROR, publishStored } from './jetstream.js';
import type { HeaderMap } from './message.js';

export interface AppendOptions {
  /** Sequence of the subject's last message; 0 for a subject without one. */
  readonly expected: number;
  readonly headers?: HeaderMap;
  readonly timeoutMs?: number;
}

/**
 * Stores a message only where `expected` is the sequence of its subject's last one: a compare-and-set on the subject.
 *
 * @returns its sequence, none where another message stands there
 * @throws StorageFullError, NoResponderError where no stream takes the subject; after AttemptTimeoutError and
 *   DisconnectedError it is unknown whether it was stored: look at the subject's last message
 */
export async function append(
  bus: Bus,
  subject: string,
  data: Uint8Array,
  { expected, headers, timeoutMs }: AppendOptions,
): Promise<number | undefined> {
  try {
    const { seq } = await publishStored(bus, subject, data, {
      headers: { ...headers, 'Nats-Expected-Last-Subject-Sequence': String(expected) },
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    return seq;
  } catch (error) {
    if (isJetStreamError(error, JS_ERROR.wrongLastSequence)) return undefined;
    throw error;
  }
}
