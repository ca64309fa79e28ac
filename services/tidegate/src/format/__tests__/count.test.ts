import { expect, test } from '@jest/globals';
import { count } from '../count.js';

test('count takes the noun that fits', () => {
  expect([0, 1, 2].map((number) => count(number, 'box', 'boxes'))).toEqual(['0 boxes', '1 box', '2 boxes']);
  expect(count(2, 'partition')).toBe('2 partitions');
});
