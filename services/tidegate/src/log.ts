import { BadRequestError } from '@tidegate/protocol';
import { type Logger, levels, pino } from 'pino';

const LEVEL = 'TIDEGATE_LOG_LEVEL';

/**
 * The process's log: JSON lines on standard error, from the level that `TIDEGATE_LOG_LEVEL` names.
 *
 * @throws BadRequestError for a level that there is not
 */
export function processLogger(fallback: 'silent' | 'warn' | 'info', env: NodeJS.ProcessEnv = process.env): Logger {
  const level = env[LEVEL] || fallback;
  if (level !== 'silent' && !Object.hasOwn(levels.values, level)) {
    const known = [...Object.keys(levels.values), 'silent'].join(', ');
    throw new BadRequestError(LEVEL, `expected ${LEVEL} to be one of ${known}, got ${JSON.stringify(level)}`);
  }
  return pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }, process.stderr);
}
