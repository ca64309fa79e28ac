import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fullMark, type Level, nextLevel, worse } from '../watermark.js';

const through = (uses: readonly number[], start: Level = 'ok') => {
  const levels: Level[] = [];
  for (const used of uses) levels.push(nextLevel(levels.at(-1) ?? start, { used, limit: 100 }));
  return levels;
};

describe('nextLevel', () => {
  test('rises and falls with hysteresis', () => {
    expect(through([84, 85, 84, 80, 79, 84])).toEqual(['ok', 'nearfull', 'nearfull', 'nearfull', 'ok', 'ok']);
    expect(through([94, 95, 94, 90, 89, 94, 95])).toEqual([
      'nearfull',
      'full',
      'full',
      'full',
      'nearfull',
      'nearfull',
      'full',
    ]);
    expect(through([95, 0])).toEqual(['full', 'ok']);
    expect(through([95, 80, 79])).toEqual(['full', 'nearfull', 'ok']);
  });

  test('is full while what is asked for does not fit', () => {
    expect(nextLevel('ok', { used: 50, limit: 100, demand: 96 })).toBe('full');
    expect(nextLevel('ok', { used: 50, limit: 100, demand: 95 })).toBe('ok');
    expect(nextLevel('full', { used: 50, limit: 100, demand: 95 })).toBe('ok');
    expect(nextLevel('full', { used: 92, limit: 100, demand: 94 })).toBe('full');
  });

  test('changes its mind only across a mark', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2 }), (uses) => {
        const levels = through(uses);
        for (let i = 1; i < uses.length; i++) {
          const used = uses[i] ?? 0;
          if (levels[i] === levels[i - 1]) continue;
          if (levels[i] === 'full') expect(used).toBeGreaterThanOrEqual(95);
          if (levels[i - 1] === 'full') expect(used).toBeLessThan(90);
          if (levels[i] === 'ok') expect(used).toBeLessThan(80);
          if (levels[i - 1] === 'ok') expect(used).toBeGreaterThanOrEqual(85);
        }
      }),
    );
  });
});

test('fullMark keeps a reserve', () => {
  expect(fullMark(1000)).toBe(950);
});

test('worse orders levels', () => {
  expect([worse('ok', 'full'), worse('nearfull', 'ok'), worse('full', 'nearfull')]).toEqual([
    'full',
    'nearfull',
    'full',
  ]);
});
