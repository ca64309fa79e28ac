import { describe, expect, test } from '@jest/globals';
import { bootId, processStart } from '../process-identity.js';

describe('process identity', () => {
  test('a live process has a start that does not change, another number has none', () => {
    const start = processStart(process.pid);
    expect(start).toBeDefined();
    expect(processStart(process.pid)).toBe(start);
    expect(processStart(2 ** 30)).toBeUndefined();
  });

  test('the host has one start', () => {
    expect(bootId()).toBe(bootId());
  });
});
