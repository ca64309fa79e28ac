import type { z } from 'zod';
import type { ErrorCode } from './error-table.js';
import type { HEADERS } from './headers.js';

type HeaderName = (typeof HEADERS)[keyof typeof HEADERS];

/** A message whose body is a map in JSON or MessagePack. */
export interface ControlMessage {
  readonly kind: 'control';
  readonly schema: z.ZodType;
}

/** A message with its description in headers and raw bytes, or nothing, as payload. */
export interface DataMessage {
  readonly kind: 'data';
  readonly required: readonly HeaderName[];
  readonly optional: readonly HeaderName[];
  /** What the payload holds; absent: it is empty. */
  readonly payload?: string;
}

/** A public request/reply operation. */
export interface EndpointEntry {
  /** Name in the listing of the NATS services framework: `[A-Za-z0-9_-]+`. */
  readonly name: string;
  /** Parts in braces stand for one token each. */
  readonly subject: string;
  readonly summary: string;
  readonly request: ControlMessage | DataMessage;
  readonly reply: ControlMessage | DataMessage;
  readonly errors: readonly ErrorCode[];
}

/** What is published on a stream. */
export interface EventEntry {
  readonly name: string;
  readonly stream: string;
  /** Beside the body; absent: none. */
  readonly headers?: readonly HeaderName[];
  /** Parts in braces stand for one token each. */
  readonly subject: string;
  readonly summary: string;
  readonly schema: z.ZodType;
}

/** A message whose body has a schema. */
export function control(schema: z.ZodType): ControlMessage {
  return { kind: 'control', schema };
}

/** What any endpoint may answer. */
export const ANY_ERRORS: readonly ErrorCode[] = ['BAD_REQUEST', 'FORBIDDEN', 'BUSY', 'UNAVAILABLE', 'TIMEOUT'];
