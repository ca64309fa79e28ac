import type { Logger } from '@tidegate/bus';

/** A line of nats-server's log. */
export interface NatsLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

// [4711] 2026/11/24 10:35:04.123456 [INF] Server is ready
const LINE = /^\[\d+\] \S+ \S+ \[(\w+)\] (.*)$/;
const LEVELS: Readonly<Record<string, NatsLogLine['level']>> = {
  TRC: 'debug',
  DBG: 'debug',
  INF: 'info',
  WRN: 'warn',
  ERR: 'error',
  FTL: 'error',
};

/** Reads a line; one in no known form (a panic, a usage message) is an error. */
export function parseNatsLog(line: string): NatsLogLine {
  const [, level = '', text = line] = LINE.exec(line) ?? [];
  return { level: LEVELS[level] ?? 'error', text: text.trim() };
}

/** Passes a line on. What nats-server tells of itself at every start is detail here. */
export function logNatsLine(logger: Logger, { level, text }: NatsLogLine): void {
  const fields = { from: 'nats-server' };
  if (level === 'warn') logger.warn(fields, text);
  else if (level === 'error') logger.error(fields, text);
  else logger.debug(fields, text);
}
