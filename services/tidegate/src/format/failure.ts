import { isArrayError } from '@tidegate/array';
import { isGeometryError } from '@tidegate/geometry';
import {
  BadRequestError,
  type ErrorBody,
  ForbiddenError,
  isTidegateError,
  NotFoundError,
  type TidegateError,
} from '@tidegate/protocol';
import { UsageError } from '../usage-error.js';

/** What is printed of a failure: the wire contract's body, or one without its code for what has none. */
export type FailureBody =
  | ErrorBody
  | { readonly code: 'INTERNAL'; readonly message: string; readonly retryable: false };

/** The body of whatever was thrown. */
export function failureBody(error: unknown): FailureBody {
  const typed = typedError(error);
  if (typed) return typed.toBody();
  return { code: 'INTERNAL', message: messageOf(error), retryable: false };
}

/** One line for people: `error: STORAGE_FULL: no room …`. */
export function failureLine({ code, message }: FailureBody): string {
  return `error: ${code}: ${message.replaceAll(/\s*[\r\n]+\s*/g, ' ')}`;
}

function typedError(error: unknown): TidegateError | undefined {
  if (isTidegateError(error)) return error;
  if (error instanceof UsageError) return new BadRequestError(error.field, error.message, { cause: error });
  if (isArrayError(error)) return new BadRequestError('file', error.message, { cause: error });
  if (isGeometryError(error)) return new BadRequestError('box', error.message, { cause: error });
  return fileError(error);
}

function fileError(error: unknown): TidegateError | undefined {
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined || path === undefined) return undefined;
  switch (code) {
    case 'ENOENT':
      return new NotFoundError(`there is no file or folder ${path}`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ForbiddenError(`may not ${syscall} ${path} (${code})`);
    case 'EISDIR':
      return new BadRequestError('file', `expected a file, got the folder ${path}`);
    default:
      return undefined;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}
