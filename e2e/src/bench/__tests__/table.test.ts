import { expect, test } from '@jest/globals';
import { markdownLines, tableOf, terminalLines } from '../table.js';

interface Row {
  readonly name: string;
  readonly rate: number;
}
const rows: readonly Row[] = [
  { name: 'copy', rate: 7 },
  { name: 'no', rate: 12345 },
];
const table = tableOf<Row>(
  { title: 'Rates', note: 'In MB/s.' },
  [
    { title: 'what', value: ({ name }) => name },
    { title: 'rate', value: ({ rate }) => rate, align: 'right' },
  ],
  rows,
);

test('a table is printed below its title', () => {
  expect(terminalLines(table)).toEqual(['Rates', 'In MB/s.', '', '  what   rate', '  copy      7', '  no    12345']);
});

test('and written as Markdown with the same alignment', () => {
  expect(markdownLines(table)).toEqual([
    '**Rates.** In MB/s.',
    '',
    '| what |  rate |',
    '| ---- | ----: |',
    '| copy |     7 |',
    '| no   | 12345 |',
  ]);
});

test('without a note there is none', () => {
  const bare = tableOf<Row>({ title: 'Rates' }, [], []);
  expect(markdownLines(bare)[0]).toBe('**Rates.**');
  expect(terminalLines(bare).slice(0, 2)).toEqual(['Rates', '']);
});
