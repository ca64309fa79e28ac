import { expect, test } from '@jest/globals';
import { ERROR_CODES, errorBodySchema } from '../error-schema.js';
import { ERROR_TABLE } from '../error-table.js';
import { EVERY_ERROR } from './every-error.js';

test('the codes are those of the table', () => {
  expect(ERROR_CODES).toEqual(Object.keys(ERROR_TABLE));
});

test.each(EVERY_ERROR.map(([error]) => [error.code, error] as const))(
  'the body of %s fits its schema alone',
  (code, error) => {
    const body = error.toBody();
    expect(errorBodySchema(code).parse(body)).toEqual(body);
    for (const other of ERROR_CODES) expect(errorBodySchema(other).safeParse(body).success).toBe(other === code);
  },
);

test('the fields of a code are required', () => {
  const bare = (code: keyof typeof ERROR_TABLE) => ({ code, message: 'x', retryable: ERROR_TABLE[code].retryable });
  const without = ERROR_CODES.filter((code) => errorBodySchema(code).safeParse(bare(code)).success);
  expect(without).toEqual(['FORBIDDEN', 'UNKNOWN_VARIABLE', 'UNKNOWN_TRIGGER', 'NOT_FOUND', 'CONFLICT', 'TIMEOUT']);
});
