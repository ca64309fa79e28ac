import { describe, expect, test } from '@jest/globals';
import { fieldLines, tableLines } from '../table.js';

describe('tableLines', () => {
  test('aligns columns and leaves nothing behind the last cell', () => {
    const lines = tableLines(
      [
        { title: 'NAME', value: (row: { name: string; size: number; ok: boolean }) => row.name },
        { title: 'SIZE', value: (row) => row.size, align: 'right' },
        { title: 'OK', value: (row) => row.ok },
      ],
      [
        { name: 'temperature', size: 7, ok: true },
        { name: 'p', size: 12_345, ok: false },
      ],
    );
    expect(lines).toEqual(['NAME          SIZE  OK', 'temperature      7  yes', 'p            12345  no']);
  });

  test('is a header alone without rows', () => {
    expect(
      tableLines(
        [
          { title: 'A', value: () => '' },
          { title: 'B', value: () => '' },
        ],
        [],
      ),
    ).toEqual(['A  B']);
  });
});

describe('fieldLines', () => {
  test('aligns values and leaves out what is not there', () => {
    expect(fieldLines({ a: 1, longer: 'x', gone: undefined, yes: true })).toEqual([
      'a       1',
      'longer  x',
      'yes     yes',
    ]);
  });

  test('has no lines without fields', () => {
    expect(fieldLines({})).toEqual([]);
  });
});
