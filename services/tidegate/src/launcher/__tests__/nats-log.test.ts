import { describe, expect, test } from '@jest/globals';
import { logNatsLine, parseNatsLog } from '../nats-log.js';

describe('parseNatsLog', () => {
  test.each([
    ['[4711] 2026/11/24 10:35:04.123456 [INF] Server is ready', { level: 'info', text: 'Server is ready' }],
    ['[1] 2026/11/24 10:35:04.123456 [FTL] Error listening', { level: 'error', text: 'Error listening' }],
    ['[1] 2026/11/24 10:35:04.123456 [WRN] JetStream is slow', { level: 'warn', text: 'JetStream is slow' }],
    ['panic: oh', { level: 'error', text: 'panic: oh' }],
  ])('reads %s', (line, read) => {
    expect(parseNatsLog(line)).toEqual(read);
  });
});

test('logNatsLine keeps warnings and errors, the rest is detail', () => {
  const logged: string[] = [];
  const note = (level: string) => (_: object, message: string) => {
    logged.push(`${level} ${message}`);
  };
  const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  for (const level of ['debug', 'info', 'warn', 'error'] as const) logNatsLine(logger, { level, text: 'x' });
  expect(logged).toEqual(['debug x', 'debug x', 'warn x', 'error x']);
});
