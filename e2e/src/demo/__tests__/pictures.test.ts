import { describe, expect, test } from '@jest/globals';
import { drawPlane } from '../pictures.js';

const plane = { cells: new Float64Array(200 * 100).map((_, cell) => cell), height: 200, width: 100 };

function screen(columns: number, rows: number, colourBits: number): NodeJS.WriteStream {
  return { isTTY: true, columns, rows, getColorDepth: () => colourBits } as unknown as NodeJS.WriteStream;
}

function size(text: string): [number, number] {
  const lines = text.trimEnd().split('\n');
  return [lines.length, Math.max(...lines.map((line) => [...line].filter((sign) => sign === '▀').length))];
}

describe('drawPlane', () => {
  test.each([
    [300, 60, 58, 58],
    [40, 60, 40, 40],
    [300, 10, 24, 24],
    [300, 400, 80, 80],
  ])('on %i columns and %i rows takes %i lines and %i columns', (columns, rows, lines, across) => {
    expect(size(drawPlane(plane, screen(columns, rows, 24)))).toEqual([lines, across]);
  });

  test('has as many colours as the terminal', () => {
    expect(drawPlane(plane, screen(80, 40, 24))).toContain('\u001b[38;2;');
    expect(drawPlane(plane, screen(80, 40, 8))).toContain('\u001b[38;5;');
    expect(drawPlane(plane, screen(80, 40, 1))).not.toContain('\u001b');
    expect(drawPlane(plane, { isTTY: false } as NodeJS.WriteStream)).not.toContain('\u001b');
  });
});
