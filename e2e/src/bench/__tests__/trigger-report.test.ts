import { expect, test } from '@jest/globals';
import { triggerTables } from '../trigger-report.js';

test('kernels are a row a dtype and a column a pass; what the pool did has a table of its own', () => {
  const [passes, pool] = triggerTables({
    kernels: [
      { name: 'int8 min/max/NaN', gigabytesPerSecond: 20, copyGigabytesPerSecond: 12 },
      {
        name: 'int8 min/max/sum/NaN',
        gigabytesPerSecond: 10,
        plainGigabytesPerSecond: 1.25,
        copyGigabytesPerSecond: 12,
      },
      { name: 'float64 min/max/NaN', gigabytesPerSecond: 16.04, copyGigabytesPerSecond: 11 },
      { name: '64 pieces: std', gigabytesPerSecond: 3, milliseconds: 45 },
    ],
  });
  expect(passes?.head).toEqual(['dtype', 'min/max/NaN', 'min/max/sum/NaN', 'plain JavaScript', 'copy']);
  expect(passes?.cells).toEqual([
    ['int8', '20.0', '10.0', '1.3', '12.0'],
    ['float64', '16.0', '', '', '11.0'],
  ]);
  expect(pool?.cells).toEqual([['std', '45.0', '3.0']]);
});

test('overhead is told in per cent', () => {
  const row = { bytes: 1024, without: 1, withTrigger: 1.2, withTriggerP99: 2, overhead: 0.204 };
  const [table] = triggerTables({ putOverhead: [row, { ...row, overhead: -0.03 }] });
  expect(table?.cells.map((cells) => cells.at(-1))).toEqual(['20 %', '-3 %']);
});
