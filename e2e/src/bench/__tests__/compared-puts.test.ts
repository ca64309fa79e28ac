import { expect, test } from '@jest/globals';
import { comparePuts } from '../compared-puts.js';

test('variants take turns, each begins a round as often as another, and the ratio is to the first', async () => {
  const blocks: string[] = [];
  const turns: Record<string, number[]> = { a: [], b: [] };
  const variant = (name: string) => ({
    async put(turn: number) {
      if (blocks.at(-1) !== name) blocks.push(name);
      turns[name]?.push(turn);
    },
    async clear() {
      blocks.push('|');
    },
  });
  const times = await comparePuts([variant('a'), variant('b')], { rounds: 2, times: 5 });
  expect(blocks.filter((name) => name !== '|').join('')).toBe('abbaabba');
  expect(turns['a']).toEqual(Array.from({ length: 4 * 13 }, (_, at) => at));
  expect(turns['b']).toEqual(turns['a']);
  expect(times).toHaveLength(2);
  expect(times[0]?.ratio).toBe(1);
  for (const { p50, p99 } of times) expect(p99).toBeGreaterThanOrEqual(p50);
});
