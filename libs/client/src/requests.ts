import type { Box } from '@tidegate/geometry';
import type { RegionRef } from '@tidegate/protocol';

/** What every call takes: how long it may go on, and a way to give it up. */
export interface CallOptions {
  /** Milliseconds after which the call fails with TimeoutError, waits not counted; default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface PutRequest extends CallOptions {
  readonly variable: string;
  readonly step: number;
  /** Default: the whole domain. */
  readonly box?: Box | string;
  /** Packed, row-major, little-endian: `volume(box) * itemSize` bytes, any number for an opaque variable. */
  readonly data: ArrayBufferView | ArrayBuffer;
  readonly run?: string;
  /** ULID; the same id again is stored once. Default: a fresh one. */
  readonly id?: string;
  /** Milliseconds to wait for room; default 10 s. */
  readonly waitMs?: number;
  /** `sha256:…` of a stored annotation, or the annotation. */
  readonly annotation?: string | Readonly<Record<string, unknown>>;
  readonly derivedFrom?: readonly RegionRef[];
  readonly activity?: string;
  /** `sha256:…` of the data: checked where it is stored. */
  readonly digest?: string;
  readonly onProgress?: (sentBytes: number) => void;
}

export interface GetRequest extends CallOptions {
  readonly variable: string;
  /** A step, `latest` (the newest covered), or `next:<n>` (the first covered above n). */
  readonly step: number | 'latest' | `next:${number}`;
  /** Default: the whole domain. */
  readonly box?: Box | string;
  readonly run?: string;
  /** Milliseconds to wait until the box is covered; default 0. */
  readonly waitMs?: number;
  /** Where the bytes go, of exactly the right length; default: fresh memory. */
  readonly into?: Uint8Array;
  readonly onProgress?: (receivedBytes: number) => void;
}

export interface StepsRequestOptions extends CallOptions {
  readonly variable: string;
  readonly run?: string;
  /** Steps above this one; default: all. */
  readonly after?: number;
  /** Only steps at which this box is covered; default: the whole domain. */
  readonly box?: Box | string;
  /** Milliseconds to wait for each next step before the iteration ends; default: for ever. */
  readonly waitMs?: number;
}

/**
 * A control request over some connection: see `control`.
 *
 * @param waitMs milliseconds for which an answer may take longer than usual before the request is repeated
 */
export type Call = <T>(subject: string, body: unknown, options: CallOptions, waitMs?: number) => Promise<T>;
