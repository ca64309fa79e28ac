import { describe, expect, test } from '@jest/globals';
import { formatBytes } from '../bytes.js';

describe('formatBytes', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [1024 ** 2, '1.0 MiB'],
    [1023.9 * 1024, '1023.9 KiB'],
    [64 * 1024 ** 3, '64.0 GiB'],
    [1024 ** 5 * 2048, '2048.0 PiB'],
  ])('shows %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
