import { describe, expect, test } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import {
  box,
  bytes,
  fullName,
  integer,
  integers,
  name,
  names,
  natsUrl,
  step,
  stepSelection,
  wantedStep,
} from '../arguments.js';

describe('arguments of the command line', () => {
  test('read what is right', () => {
    expect(integer(1, 5)('5')).toBe(5);
    expect(step('0')).toBe(0);
    expect(step('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(wantedStep('latest')).toBe('latest');
    expect(wantedStep('next:41')).toBe('next:41');
    expect(wantedStep('7')).toBe(7);
    expect(stepSelection('3')).toBe(3);
    expect(stepSelection('3,5,8')).toEqual([3, 5, 8]);
    expect(stepSelection('10:20')).toBe('10:20');
    expect(box('0:64,128:256')).toBe('0:64,128:256');
    expect(integers('512,512')).toEqual([512, 512]);
    expect(name('T_small-2')).toBe('T_small-2');
    expect(names('T,p')).toEqual(['T', 'p']);
    expect(fullName('hot~confirm')).toBe('hot~confirm');
    expect(bytes('1MiB')).toBe(1 << 20);
    expect(natsUrl('nats://a:4222')).toBe('nats://a:4222');
  });

  const refused: readonly (readonly [string, (text: string) => unknown, string])[] = [
    ['full name with a gap', fullName, 'hot~~confirm'],
    ['integer below', integer(1), '0'],
    ['integer above', integer(1, 5), '6'],
    ['integer with a sign', integer(0), '-1'],
    ['integer with a fraction', integer(0), '1.5'],
    ['integer with a leading zero', integer(0), '07'],
    ['empty integer', integer(0), ''],
    ['step beyond 2^53', step, '9007199254740993'],
    ['step in words', wantedStep, 'newest'],
    ['next without a number', wantedStep, 'next:'],
    ['empty range', stepSelection, '5:5'],
    ['steps with a gap', stepSelection, '1,,2'],
    ['open range', stepSelection, '5:'],
    ['box upside down', box, '4:2'],
    ['zero extent', integers, '4,0'],
    ['name with a dot', name, 'a.b'],
    ['list with an empty name', names, 'a,'],
    ['size of nothing', bytes, '0'],
    ['size in words', bytes, 'lots'],
    ['address of the web', natsUrl, 'http://a'],
  ];
  test.each(refused)('refuse %s', (_, parse, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
    expect(() => parse(text)).toThrow(/^expected .+, got "/);
  });
});
