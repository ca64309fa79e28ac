import { type Box, formatBox } from '@tidegate/geometry';
import { ERROR_TABLE, type ErrorCode, MISSING_LIMIT, type StorageLimit, type StorageState } from './error-table.js';

/** The body of an error reply. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly [field: string]: unknown;
}

/** Base of every error that crosses the wire: `code`, `status`, `retryable`, and the code's own fields. */
export abstract class TidegateError extends Error {
  abstract readonly code: ErrorCode;

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }

  /** The code's own fields, as they stand in the body. */
  fields(): Readonly<Record<string, unknown>> {
    return {};
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, retryable: this.retryable, ...this.fields() };
  }
}

/** 400: the request is malformed; `field` names the key or header. */
export class BadRequestError extends TidegateError {
  override readonly name = 'BadRequestError';
  readonly code = 'BAD_REQUEST';
  readonly field: string;

  constructor(field: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
  }

  override fields() {
    return { field: this.field };
  }
}

/** 400: the payload has not the bytes that box and dtype ask for. */
export class SizeMismatchError extends TidegateError {
  override readonly name = 'SizeMismatchError';
  readonly code = 'SIZE_MISMATCH';
  readonly expectedBytes: number;
  readonly actualBytes: number;

  constructor(expectedBytes: number, actualBytes: number, message?: string) {
    super(message ?? `expected ${expectedBytes} bytes for this box and dtype, got ${actualBytes}`);
    this.expectedBytes = expectedBytes;
    this.actualBytes = actualBytes;
  }

  override fields() {
    return { expectedBytes: this.expectedBytes, actualBytes: this.actualBytes };
  }
}

/** 403: these credentials may not do this. */
export class ForbiddenError extends TidegateError {
  override readonly name = 'ForbiddenError';
  readonly code = 'FORBIDDEN';
}

/** 404: no variable of this name is declared. */
export class UnknownVariableError extends TidegateError {
  override readonly name = 'UnknownVariableError';
  readonly code = 'UNKNOWN_VARIABLE';

  constructor(
    variable: string,
    message = `variable "${variable}" is not declared: call tide.v1.variable.declare first`,
  ) {
    super(message);
  }
}

/** 404: no trigger of this name is registered. */
export class UnknownTriggerError extends TidegateError {
  override readonly name = 'UnknownTriggerError';
  readonly code = 'UNKNOWN_TRIGGER';

  constructor(trigger: string, message = `trigger "${trigger}" is not registered`) {
    super(message);
  }
}

/** 404: the thing asked for is not there, and waiting will not bring it (a step that its window dropped, say). */
export class NotFoundError extends TidegateError {
  override readonly name = 'NotFoundError';
  readonly code = 'NOT_FOUND';
}

interface Missing {
  readonly missing: readonly string[];
  readonly missingCount: number;
}

/** The `missing` and `missingCount` fields for a list of boxes: at most 64 are listed. */
export function missingFields(boxes: readonly Box[]): Missing {
  return { missing: boxes.slice(0, MISSING_LIMIT).map(formatBox), missingCount: boxes.length };
}

/** 404: a part of the box has no data; `missing` lists it in text form. */
export class NotCoveredError extends TidegateError {
  override readonly name = 'NotCoveredError';
  readonly code = 'NOT_COVERED';
  readonly missing: readonly string[];
  readonly missingCount: number;

  constructor(message: string, missing: Missing) {
    super(message);
    this.missing = missing.missing;
    this.missingCount = missing.missingCount;
  }

  override fields() {
    return { missing: this.missing, missingCount: this.missingCount };
  }
}

/** 409: something else stands already; `standing` says what. */
export class ConflictError extends TidegateError {
  override readonly name = 'ConflictError';
  readonly code = 'CONFLICT';
  readonly standing: unknown;

  constructor(message: string, standing?: unknown) {
    super(message);
    this.standing = standing;
  }

  override fields() {
    return this.standing === undefined ? {} : { standing: this.standing };
  }
}

/** 413: more bytes than `limitBytes`. */
export class TooLargeError extends TidegateError {
  override readonly name = 'TooLargeError';
  readonly code = 'TOO_LARGE';
  readonly limitBytes: number;

  constructor(message: string, limitBytes: number) {
    super(message);
    this.limitBytes = limitBytes;
  }

  override fields() {
    return { limitBytes: this.limitBytes };
  }
}

/** 422: the box reaches out of the variable's domain. */
export class OutOfDomainError extends TidegateError {
  override readonly name = 'OutOfDomainError';
  readonly code = 'OUT_OF_DOMAIN';
  readonly shape: readonly number[];

  constructor(message: string, shape: readonly number[]) {
    super(message);
    this.shape = shape;
  }

  override fields() {
    return { shape: this.shape };
  }
}

/** 423: the data is under quarantine. */
export class QuarantinedError extends TidegateError {
  override readonly name = 'QuarantinedError';
  readonly code = 'QUARANTINED';
  readonly reason: string;

  constructor(message: string, reason: string) {
    super(message);
    this.reason = reason;
  }

  override fields() {
    return { reason: this.reason };
  }
}

/** 429: a bounded queue is full; try again after `retryAfterMs`. */
export class BusyError extends TidegateError {
  override readonly name = 'BusyError';
  readonly code = 'BUSY';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }

  override fields() {
    return { retryAfterMs: this.retryAfterMs };
  }
}

/** 503: a needed service does not answer now; try again after `retryAfterMs`. */
export class UnavailableError extends TidegateError {
  override readonly name = 'UnavailableError';
  readonly code = 'UNAVAILABLE';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }

  override fields() {
    return { retryAfterMs: this.retryAfterMs };
  }
}

/** What an answer is withheld with while raw-services that may hold newer data have not told their inventory. */
export function absentError(rawServices: Iterable<string>): UnavailableError {
  const names = [...rawServices].join(', ');
  const advice = 'if it is gone for good: tidegate storage forget ID';
  return new UnavailableError(`data may be missing while raw-service ${names} does not answer (${advice})`, 1000);
}

/** 504: a wait ended; for a get, `missing` lists what was still not there. */
export class TimeoutError extends TidegateError {
  override readonly name = 'TimeoutError';
  readonly code = 'TIMEOUT';
  readonly missing: readonly string[] | undefined;
  readonly missingCount: number | undefined;

  constructor(message: string, missing?: Missing, options?: ErrorOptions) {
    super(message, options);
    this.missing = missing?.missing;
    this.missingCount = missing?.missingCount;
  }

  override fields() {
    return this.missing === undefined ? {} : { missing: this.missing, missingCount: this.missingCount };
  }
}

/** What a STORAGE_FULL says beside its message. */
export interface StorageFullFields {
  readonly retryAfterMs: number;
  readonly state: StorageState;
  readonly limit: StorageLimit;
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly needBytes: number;
}

/** 507: no room for this put now; nothing of it was stored. */
export class StorageFullError extends TidegateError {
  override readonly name = 'StorageFullError';
  readonly code = 'STORAGE_FULL';
  readonly storage: StorageFullFields;

  constructor(message: string, storage: StorageFullFields) {
    super(message);
    this.storage = storage;
  }

  get retryAfterMs(): number {
    return this.storage.retryAfterMs;
  }

  override fields() {
    return { ...this.storage };
  }
}

/** True for an error of the wire contract, with `code` to switch on. */
export function isTidegateError(error: unknown): error is TidegateError {
  return error instanceof TidegateError;
}
