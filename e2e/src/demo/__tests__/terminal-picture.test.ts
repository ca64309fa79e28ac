import { describe, expect, test } from '@jest/globals';
import { colourAt } from '../colour-map.js';
import { fieldToTerminal } from '../terminal-picture.js';

const ESCAPE = '\x1b[';
const rgb = (fraction: number) => colourAt(fraction).join(';');

/** The text without its colours. */
function plain(text: string): string {
  return text
    .split(ESCAPE)
    .map((part, i) => (i === 0 ? part : part.slice(part.indexOf('m') + 1)))
    .join('');
}

describe('fieldToTerminal', () => {
  test('two cells a character, upper in the foreground', () => {
    const text = fieldToTerminal(Float64Array.of(0, 1, 0.5, 0.25), 2, 2);
    expect(text).toBe(
      `${ESCAPE}38;2;${rgb(0)};48;2;${rgb(0.5)}m▀${ESCAPE}38;2;${rgb(1)};48;2;${rgb(0.25)}m▀${ESCAPE}0m\n`,
    );
  });

  test('colours are set where they change only, and end with the line', () => {
    const text = fieldToTerminal(new Float64Array(80 * 40), 40, 80, { min: 0, max: 1 });
    const lines = text.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toEqual(new Array(20).fill(`${ESCAPE}38;2;${rgb(0)};48;2;${rgb(0)}m${'▀'.repeat(80)}${ESCAPE}0m`));
  });

  test('keeps the aspect and is never wider than asked for', () => {
    for (const [height, width, columns, across, lines] of [
      [256, 256, 64, 64, 32],
      [100, 200, 80, 80, 20],
      [10, 12, 80, 12, 5],
      [1, 300, 60, 60, 1],
    ] as const) {
      for (const depth of ['truecolor', 'ansi256', 'ascii'] as const) {
        const text = plain(fieldToTerminal(new Float64Array(height * width), height, width, { columns, depth }));
        expect(text.split('\n').map((line) => line.length)).toEqual([...new Array(lines).fill(across), 0]);
      }
    }
  });

  test('a pixel is the mean of its cells', () => {
    // Each 2 x 2 block of cells holds 0, 0, 0, 1: a quarter everywhere.
    const field = Float64Array.from({ length: 64 }, (_, i) => ((i & 1) === 1 && ((i >> 3) & 1) === 1 ? 1 : 0));
    const text = fieldToTerminal(field, 8, 8, { columns: 4 });
    expect(text).toBe(`${ESCAPE}38;2;${rgb(0.25)};48;2;${rgb(0.25)}m▀▀▀▀${ESCAPE}0m\n`.repeat(2));
  });

  test('256 colours come from the cube', () => {
    const colours = [
      [0, 0, 0],
      [255, 135, 95],
    ] as const;
    const text = fieldToTerminal(Float64Array.of(0, 1), 2, 1, { depth: 'ansi256', colours });
    expect(text).toBe(`${ESCAPE}38;5;16;48;5;${16 + 36 * 5 + 6 * 2 + 1}m▀${ESCAPE}0m\n`);
  });

  test('without colours, brightness is a character', () => {
    const field = Float64Array.from({ length: 20 }, (_, i) => (i % 10) / 9);
    expect(fieldToTerminal(field, 2, 10, { depth: 'ascii' })).toBe(' .:-=+*#%@\n');
    expect(fieldToTerminal(Float64Array.of(Number.NaN, 1), 1, 2, { depth: 'ascii', min: 0 })).toBe('?@\n');
  });

  test('refuses a field of another size and broken widths', () => {
    expect(() => fieldToTerminal(new Float64Array(5), 2, 3)).toThrow(RangeError);
    expect(() => fieldToTerminal(new Float64Array(6), 2, 3, { columns: 0 })).toThrow(RangeError);
    expect(() => fieldToTerminal(new Float64Array(6), 2, 3, { columns: 2.5 })).toThrow(RangeError);
  });
});
