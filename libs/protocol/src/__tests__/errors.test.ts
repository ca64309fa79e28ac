import { describe, expect, test } from '@jest/globals';
import { ERROR_TABLE } from '../error-table.js';
import {
  BadRequestError,
  isTidegateError,
  missingFields,
  SizeMismatchError,
  StorageFullError,
  TidegateError,
  TimeoutError,
  UnavailableError,
  UnknownTriggerError,
  UnknownVariableError,
} from '../errors.js';
import { EVERY_ERROR } from './every-error.js';

test('there is an error of every code', () => {
  expect(new Set(EVERY_ERROR.map(([{ code }]) => code))).toEqual(new Set(Object.keys(ERROR_TABLE)));
});

describe.each(EVERY_ERROR.map(([error, fields]) => [error.code, error, fields] as const))(
  '%s',
  (code, error, fields) => {
    test('has status and retryable from the table', () => {
      expect(error.status).toBe(ERROR_TABLE[code].status);
      expect(error.retryable).toBe(ERROR_TABLE[code].retryable);
    });

    test('its body is the code, the message, retryable and its own fields, no more', () => {
      expect(error.toBody()).toEqual({ code, message: error.message, retryable: error.retryable, ...fields });
    });

    test('is a named TidegateError', () => {
      expect(error).toBeInstanceOf(TidegateError);
      expect(isTidegateError(error)).toBe(true);
      expect(error.name).toBe(error.constructor.name);
      expect(error.stack).toContain(error.name);
    });
  },
);

test('messages say what to do where the caller gives none', () => {
  expect(new UnknownVariableError('T').message).toContain('variable "T" is not declared');
  expect(new UnknownTriggerError('hot').message).toContain('trigger "hot"');
  expect(new SizeMismatchError(64, 60).message).toBe('expected 64 bytes for this box and dtype, got 60');
});

test('the cause is kept', () => {
  const cause = new Error('why');
  expect(new BadRequestError('body', 'x', { cause }).cause).toBe(cause);
  expect(new UnavailableError('x', 1, { cause }).cause).toBe(cause);
  expect(new TimeoutError('x', undefined, { cause }).cause).toBe(cause);
});

test('a full store tells when to come back', () => {
  const [full] = EVERY_ERROR.map(([error]) => error).filter((error) => error instanceof StorageFullError);
  expect(full?.retryAfterMs).toBe(100);
});

test('other errors are none of the contract', () => {
  for (const other of [new Error('x'), { code: 'BUSY' }, null, undefined, 'BUSY'])
    expect(isTidegateError(other)).toBe(false);
});

test('missing boxes are listed up to 64 and counted beyond', () => {
  const boxes = Array.from({ length: 70 }, (_, at) => ({ lower: [at, 0], upper: [at + 1, 2] }));
  const { missing, missingCount } = missingFields(boxes);
  expect(missing).toHaveLength(64);
  expect(missing[63]).toBe('63:64,0:2');
  expect(missingCount).toBe(70);
  expect(missingFields([])).toEqual({ missing: [], missingCount: 0 });
});
