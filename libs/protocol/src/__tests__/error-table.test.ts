import { expect, test } from '@jest/globals';
import { ERROR_TABLE, MISSING_LIMIT } from '../error-table.js';

test('the codes of the contract, with status and whether to try again', () => {
  const rows = Object.entries(ERROR_TABLE).map(([code, { status, retryable }]) => `${status} ${code} ${retryable}`);
  expect(rows).toEqual([
    '400 BAD_REQUEST false',
    '400 SIZE_MISMATCH false',
    '403 FORBIDDEN false',
    '404 UNKNOWN_VARIABLE false',
    '404 UNKNOWN_TRIGGER false',
    '404 NOT_FOUND false',
    '404 NOT_COVERED true',
    '409 CONFLICT false',
    '413 TOO_LARGE false',
    '422 OUT_OF_DOMAIN false',
    '423 QUARANTINED false',
    '429 BUSY true',
    '503 UNAVAILABLE true',
    '504 TIMEOUT true',
    '507 STORAGE_FULL true',
  ]);
  expect(MISSING_LIMIT).toBe(64);
});
