import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseBytes } from '../parse-bytes.js';

describe('parseBytes', () => {
  test.each([
    ['0', 0],
    ['1073741824', 1 << 30],
    ['512MiB', 512 << 20],
    ['4GB', 4_000_000_000],
    ['4 GiB', 4 * 1024 ** 3],
    ['1.5g', 1.5 * 1024 ** 3],
    ['2T', 2 * 1024 ** 4],
    ['1kb', 1000],
    ['64K', 65_536],
    ['10B', 10],
    ['1.9B', 1],
  ])('reads %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(['', 'MiB', '-1', '1 2', '1XB', '1KiBs', '0x10', '1e9', '1.', '99999999PB', 'NaN'])(
    'refuses %j',
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  test('reads back every whole number in every unit', () => {
    const units: readonly (readonly [string, number])[] = [
      ['', 1],
      ['KiB', 1024],
      ['MB', 1_000_000],
      ['g', 1024 ** 3],
    ];
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(...units), (count, [unit, factor]) => {
        expect(parseBytes(`${count}${unit}`)).toBe(count * factor);
      }),
    );
  });
});
