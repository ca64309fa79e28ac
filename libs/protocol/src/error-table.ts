/** The wire codes, their status, and whether the same request may succeed later: the one table that errors come from. */
export const ERROR_TABLE = {
  BAD_REQUEST: { status: 400, retryable: false },
  SIZE_MISMATCH: { status: 400, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  UNKNOWN_VARIABLE: { status: 404, retryable: false },
  UNKNOWN_TRIGGER: { status: 404, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  NOT_COVERED: { status: 404, retryable: true },
  CONFLICT: { status: 409, retryable: false },
  TOO_LARGE: { status: 413, retryable: false },
  OUT_OF_DOMAIN: { status: 422, retryable: false },
  QUARANTINED: { status: 423, retryable: false },
  BUSY: { status: 429, retryable: true },
  UNAVAILABLE: { status: 503, retryable: true },
  TIMEOUT: { status: 504, retryable: true },
  STORAGE_FULL: { status: 507, retryable: true },
} as const;

/** A `code` of an error body. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** Most boxes that `missing` of an error or a reply lists; `missingCount` says how many there are. */
export const MISSING_LIMIT = 64;

/** Which limit a STORAGE_FULL met. */
export type StorageLimit = 'memory' | 'disk' | 'stream' | 'quota';
/** State of a store, in rising order of distress. */
export type StorageState = 'ok' | 'nearfull' | 'full' | 'critical';
