import { z } from 'zod';
import { ERROR_TABLE, type ErrorCode, MISSING_LIMIT } from './error-table.js';

const bytes = z.number().int().min(0);
const retryAfterMs = z.number().min(0).meta({ description: 'Milliseconds after which to try again.' });
const missing = z
  .array(z.string())
  .max(MISSING_LIMIT)
  .meta({ description: `Boxes without data, at most ${MISSING_LIMIT} of them.` });
const missingCount = z.number().int().min(0);

/** The fields that each code has beside `code`, `message` and `retryable`. */
const FIELDS: Readonly<Record<ErrorCode, z.ZodRawShape>> = {
  BAD_REQUEST: { field: z.string().meta({ description: 'The key or header that is wrong; `body` for the whole.' }) },
  SIZE_MISMATCH: { expectedBytes: bytes, actualBytes: bytes },
  FORBIDDEN: {},
  UNKNOWN_VARIABLE: {},
  UNKNOWN_TRIGGER: {},
  NOT_FOUND: {},
  NOT_COVERED: { missing, missingCount },
  CONFLICT: { standing: z.exactOptional(z.unknown()).meta({ description: 'What stands already.' }) },
  TOO_LARGE: { limitBytes: bytes },
  OUT_OF_DOMAIN: { shape: z.array(z.number().int()) },
  QUARANTINED: { reason: z.string() },
  BUSY: { retryAfterMs },
  UNAVAILABLE: { retryAfterMs },
  TIMEOUT: { missing: z.exactOptional(missing), missingCount: z.exactOptional(missingCount) },
  STORAGE_FULL: {
    retryAfterMs,
    state: z.enum(['ok', 'nearfull', 'full', 'critical']),
    limit: z.enum(['memory', 'disk', 'stream', 'quota']),
    usedBytes: bytes,
    limitBytes: bytes,
    needBytes: bytes,
  },
};

/** All wire codes, in the order of the table. */
export const ERROR_CODES = Object.keys(ERROR_TABLE) as readonly ErrorCode[];

/** Schema of the body of an error reply with this code. */
export function errorBodySchema(code: ErrorCode): z.ZodType {
  return z.object({
    code: z.literal(code),
    message: z.string().meta({ description: 'What was expected and what came.' }),
    retryable: z.literal(ERROR_TABLE[code].retryable),
    ...FIELDS[code],
  });
}
