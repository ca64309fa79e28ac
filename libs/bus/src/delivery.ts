import { NANOSECONDS_PER_MS } from './stream-config.js';

/** What the reply subject of a message from a consumer tells. */
export interface Delivery {
  /** In the stream. */
  readonly sequence: number;
  /** Counts the consumer's deliveries. */
  readonly consumerSequence: number;
  /** Counts the deliveries of this message, from 1. */
  readonly attempt: number;
  /** Milliseconds since 1970 when the server stored it. */
  readonly storedAt: number;
  /** Messages of the consumer behind this one. */
  readonly pending: number;
}

/** Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<ns>.<pending>`, or its longer form with a domain. */
export function delivery(reply: string): Delivery {
  const tokens = reply.split('.');
  const at = tokens.length > 9 ? 6 : 4;
  return {
    attempt: Number(tokens[at]),
    sequence: Number(tokens[at + 1]),
    consumerSequence: Number(tokens[at + 2]),
    storedAt: Math.floor(Number(tokens[at + 3]) / NANOSECONDS_PER_MS),
    pending: Number(tokens[at + 4]),
  };
}
