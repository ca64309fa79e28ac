import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { NpyFormatError } from '@tidegate/array';
import { parseBox } from '@tidegate/geometry';
import { StorageFullError, UnknownVariableError } from '@tidegate/protocol';
import { UsageError } from '../../usage-error.js';
import { failureBody, failureLine } from '../failure.js';

const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('expected it to throw');
};

describe('failureBody', () => {
  test('keeps the fields of a wire error', () => {
    const storage = {
      retryAfterMs: 5,
      state: 'full',
      limit: 'memory',
      usedBytes: 1,
      limitBytes: 2,
      needBytes: 3,
    } as const;
    expect(failureBody(new StorageFullError('no room', storage))).toEqual({
      code: 'STORAGE_FULL',
      message: 'no room',
      retryable: true,
      ...storage,
    });
  });

  test('gives what other libraries throw a code', async () => {
    expect(failureBody(new NpyFormatError('magic', 'no npy'))).toMatchObject({ code: 'BAD_REQUEST', field: 'file' });
    expect(failureBody(thrownBy(() => parseBox('x')))).toMatchObject({ code: 'BAD_REQUEST', field: 'box' });
    expect(failureBody(new UsageError('steps', 'both'))).toMatchObject({
      code: 'BAD_REQUEST',
      field: 'steps',
      message: 'both',
    });
    const missing: unknown = await readFile('/nowhere/at-all').catch((error: unknown) => error);
    expect(failureBody(missing)).toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is no file or folder /nowhere/at-all',
    });
    const folder: unknown = await readFile('/').catch((error: unknown) => error);
    expect(failureBody(folder)).toMatchObject({ code: 'INTERNAL' });
  });

  test('gives anything else a message', () => {
    expect(failureBody(new TypeError('odd'))).toEqual({ code: 'INTERNAL', message: 'odd', retryable: false });
    expect(failureBody('text')).toMatchObject({ message: 'text' });
    expect(failureBody(new RangeError())).toMatchObject({ message: 'RangeError' });
  });
});

test('failureLine is one line', () => {
  expect(failureLine(failureBody(new UnknownVariableError('T', 'no T:\n  declare it')))).toBe(
    'error: UNKNOWN_VARIABLE: no T: declare it',
  );
});
