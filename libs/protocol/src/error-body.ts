import type { StorageLimit, StorageState } from './error-table.js';
import { ERROR_TABLE, type ErrorCode } from './error-table.js';
import {
  BadRequestError,
  BusyError,
  ConflictError,
  ForbiddenError,
  NotCoveredError,
  NotFoundError,
  OutOfDomainError,
  QuarantinedError,
  SizeMismatchError,
  StorageFullError,
  type TidegateError,
  TimeoutError,
  TooLargeError,
  UnavailableError,
  UnknownTriggerError,
  UnknownVariableError,
} from './errors.js';

type Fields = Readonly<Record<string, unknown>>;

function number(fields: Fields, key: string): number {
  const value = fields[key];
  return typeof value === 'number' ? value : 0;
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === 'string' ? value : '';
}

function missing(fields: Fields) {
  const boxes = fields['missing'];
  if (!Array.isArray(boxes)) return undefined;
  return { missing: boxes.filter((box) => typeof box === 'string'), missingCount: number(fields, 'missingCount') };
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code);
}

/**
 * The typed error of an error reply's body. A body that is none of the contract's becomes UNAVAILABLE: the peer is of
 * another version or something in between answered.
 */
export function errorFromBody(body: unknown): TidegateError {
  const fields: Fields = typeof body === 'object' && body !== null ? { ...body } : {};
  const code = fields['code'];
  const message = text(fields, 'message') || 'error reply without a message';
  if (!isErrorCode(code)) return new UnavailableError(`unreadable error reply: ${message}`, 1000);
  switch (code) {
    case 'BAD_REQUEST':
      return new BadRequestError(text(fields, 'field'), message);
    case 'SIZE_MISMATCH':
      return new SizeMismatchError(number(fields, 'expectedBytes'), number(fields, 'actualBytes'), message);
    case 'FORBIDDEN':
      return new ForbiddenError(message);
    case 'UNKNOWN_VARIABLE':
      return new UnknownVariableError('', message);
    case 'UNKNOWN_TRIGGER':
      return new UnknownTriggerError('', message);
    case 'NOT_FOUND':
      return new NotFoundError(message);
    case 'NOT_COVERED':
      return new NotCoveredError(message, missing(fields) ?? { missing: [], missingCount: 0 });
    case 'CONFLICT':
      return new ConflictError(message, fields['standing']);
    case 'TOO_LARGE':
      return new TooLargeError(message, number(fields, 'limitBytes'));
    case 'OUT_OF_DOMAIN': {
      const shape = fields['shape'];
      return new OutOfDomainError(message, Array.isArray(shape) ? shape.map(Number) : []);
    }
    case 'QUARANTINED':
      return new QuarantinedError(message, text(fields, 'reason'));
    case 'BUSY':
      return new BusyError(message, number(fields, 'retryAfterMs'));
    case 'UNAVAILABLE':
      return new UnavailableError(message, number(fields, 'retryAfterMs'));
    case 'TIMEOUT':
      return new TimeoutError(message, missing(fields));
    case 'STORAGE_FULL':
      return new StorageFullError(message, {
        retryAfterMs: number(fields, 'retryAfterMs'),
        state: text(fields, 'state') as StorageState,
        limit: text(fields, 'limit') as StorageLimit,
        usedBytes: number(fields, 'usedBytes'),
        limitBytes: number(fields, 'limitBytes'),
        needBytes: number(fields, 'needBytes'),
      });
    default:
      return code satisfies never;
  }
}
