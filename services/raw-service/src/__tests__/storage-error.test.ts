import { expect, test } from '@jest/globals';
import { NotFoundError, StorageFullError, UnavailableError } from '@tidegate/protocol';
import { storageError } from '../storage-error.js';

test('a failure of the file system gets the error of the contract that fits', () => {
  const refusal = () => ({
    retryAfterMs: 7,
    state: 'nearfull' as const,
    limit: 'disk' as const,
    usedBytes: 9,
    limitBytes: 10,
  });
  const known = new NotFoundError('not here');
  expect(storageError(known, 5, refusal)).toBe(known);
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const full = storageError(Object.assign(new Error('no space'), { code }), 5, refusal);
    expect(full).toBeInstanceOf(StorageFullError);
    expect(full).toMatchObject({
      storage: { ...refusal(), needBytes: 5 },
      message: 'storing 5 bytes failed: no space',
    });
  }
  const broken = Object.assign(new Error('i/o error'), { code: 'EIO' });
  expect(storageError(broken, 5, refusal)).toBeInstanceOf(UnavailableError);
  expect(storageError(broken, 5, refusal).cause).toBe(broken);
});
