import { expect, test } from '@jest/globals';
import { BadRequestError } from '@tidegate/protocol';
import { processLogger } from '../log.js';

test('processLogger takes its level from TIDEGATE_LOG_LEVEL', () => {
  expect(processLogger('warn', {}).level).toBe('warn');
  expect(processLogger('warn', { TIDEGATE_LOG_LEVEL: '' }).level).toBe('warn');
  expect(processLogger('warn', { TIDEGATE_LOG_LEVEL: 'debug' }).level).toBe('debug');
  expect(processLogger('warn', { TIDEGATE_LOG_LEVEL: 'silent' }).level).toBe('silent');
  expect(() => processLogger('warn', { TIDEGATE_LOG_LEVEL: 'loud' })).toThrow(BadRequestError);
});
