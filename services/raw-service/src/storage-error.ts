import { isTidegateError, StorageFullError, type StorageFullFields, UnavailableError } from '@tidegate/protocol';

const RETRY_MS = 1000;

/** What the wire says of a failure of the file system. @param refusal what keeps a put out where the disk is full */
export function storageError(
  error: unknown,
  needBytes: number,
  refusal: () => Omit<StorageFullFields, 'needBytes'>,
): Error {
  if (isTidegateError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageFullError(`storing ${needBytes} bytes failed: ${message}`, { ...refusal(), needBytes });
  }
  return new UnavailableError(`storing ${needBytes} bytes failed: ${message}`, RETRY_MS, { cause: error });
}
