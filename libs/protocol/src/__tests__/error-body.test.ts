import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBody, encodeBody } from '../body.js';
import { errorFromBody } from '../error-body.js';
import { ERROR_TABLE, type ErrorCode } from '../error-table.js';
import { isTidegateError, UnavailableError } from '../errors.js';
import { EVERY_ERROR } from './every-error.js';

describe.each(['json', 'msgpack'] as const)('through %s', (encoding) => {
  test.each(EVERY_ERROR.map(([error]) => [error.code, error] as const))('%s comes back as it went', (_, error) => {
    const back = errorFromBody(decodeBody(encodeBody(error.toBody(), encoding)).map);
    expect(back).toBeInstanceOf(error.constructor);
    expect(back.toBody()).toEqual(error.toBody());
    expect(back.fields()).toEqual(error.fields());
  });
});

test('a body of another version, or none, is UNAVAILABLE and keeps the message', () => {
  for (const body of [null, undefined, 'text', 5, [], {}, { code: 'NEW_CODE' }, { code: 7 }, { code: 'toString' }]) {
    expect(errorFromBody(body)).toBeInstanceOf(UnavailableError);
  }
  expect(errorFromBody({ code: 'NEW_CODE', message: 'quota of the moon' }).message).toContain('quota of the moon');
});

test('a code without its fields, or with fields of wrong types, is still that error', () => {
  const field = fc.oneof(fc.constant(undefined), fc.anything());
  const names =
    'field expectedBytes actualBytes missing missingCount standing limitBytes shape reason retryAfterMs state';
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(ERROR_TABLE) as ErrorCode[])),
      fc.record(Object.fromEntries(['message', ...names.split(' ')].map((name) => [name, field]))),
      (code, fields) => {
        const error = errorFromBody({ ...fields, code });
        expect(isTidegateError(error)).toBe(true);
        expect(error.code).toBe(code);
        expect(typeof error.message).toBe('string');
        expect(error.message).not.toBe('');
      },
    ),
  );
});

test('missing boxes that are no texts are left out', () => {
  const body = { code: 'NOT_COVERED', message: 'x', missing: ['0:1', 5, null], missingCount: 3 };
  expect(errorFromBody(body)).toMatchObject({ missing: ['0:1'], missingCount: 3 });
});
