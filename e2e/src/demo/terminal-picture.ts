import {
  type ColourMap,
  type ColourRange,
  colourAt,
  colourRange,
  fractionOf,
  INFERNO,
  type Rgb,
} from './colour-map.js';
import { assertPlane } from './picture.js';

/** What a terminal can show: 24-bit colour, the 256-colour palette, or characters alone. */
export type TerminalDepth = 'truecolor' | 'ansi256' | 'ascii';

/** How a field becomes text; the range defaults to that of its finite values. */
export interface TerminalPictureOptions extends Partial<ColourRange> {
  /** Characters per line; at most, and by default, the width of the field up to 80. */
  readonly columns?: number;
  readonly depth?: TerminalDepth;
  readonly colours?: ColourMap;
}

/** Characters by brightness. */
const RAMP = ' .:-=+*#%@';
const RESET = '\x1b[0m';

/**
 * A plane of values as lines of text that end in a new line, row 0 on top. A character is taken to be twice as high as
 * wide: with colours it shows two cells in half blocks, without them one brightness. A pixel is the mean of the cells
 * under it.
 *
 * @param field packed row-major, `height` x `width` cells
 * @throws RangeError if the field has another size or `columns` is no positive integer
 */
export function fieldToTerminal(
  field: Float64Array,
  height: number,
  width: number,
  options: TerminalPictureOptions = {},
): string {
  const { columns = 80, depth = 'truecolor', colours = INFERNO } = options;
  assertPlane(field, height, width);
  if (!Number.isInteger(columns) || columns < 1) throw new RangeError(`expected 1 or more columns, got ${columns}`);
  const across = Math.min(columns, width);
  const lines = Math.max(1, Math.round((height * across) / width / 2));
  const down = depth === 'ascii' ? lines : 2 * lines;
  const range = colourRange(field, options);
  const pixels = shrink(field, height, width, down, across).map((value) => fractionOf(value, range));
  let text = '';
  for (let line = 0; line < lines; line++) {
    text += depth === 'ascii' ? asciiLine(pixels, line, across) : blockLine(pixels, line, across, depth, colours);
    text += '\n';
  }
  return text;
}

/** Means over a coarser grid; where the grid is finer than the field, the cell there. */
function shrink(field: Float64Array, height: number, width: number, down: number, across: number): Float64Array {
  const pixels = new Float64Array(down * across);
  for (let row = 0; row < down; row++) {
    const y0 = Math.floor((row * height) / down);
    const y1 = Math.max(y0 + 1, Math.floor(((row + 1) * height) / down));
    for (let column = 0; column < across; column++) {
      const x0 = Math.floor((column * width) / across);
      const x1 = Math.max(x0 + 1, Math.floor(((column + 1) * width) / across));
      let sum = 0;
      for (let y = y0; y < y1; y++) {
        for (let x = x0; x < x1; x++) sum += field[y * width + x] as number;
      }
      pixels[row * across + column] = sum / ((y1 - y0) * (x1 - x0));
    }
  }
  return pixels;
}

function asciiLine(pixels: Float64Array, line: number, across: number): string {
  let text = '';
  for (const fraction of pixels.subarray(line * across, (line + 1) * across)) {
    text += Number.isNaN(fraction) ? '?' : RAMP[Math.min(Math.floor(fraction * RAMP.length), RAMP.length - 1)];
  }
  return text;
}

function blockLine(
  pixels: Float64Array,
  line: number,
  across: number,
  depth: 'truecolor' | 'ansi256',
  colours: ColourMap,
): string {
  let text = '';
  let shown = '';
  for (let column = 0; column < across; column++) {
    const upper = pixels[2 * line * across + column] as number;
    const lower = pixels[(2 * line + 1) * across + column] as number;
    const codes = `38;${colourCode(colourAt(upper, colours), depth)};48;${colourCode(colourAt(lower, colours), depth)}`;
    if (codes !== shown) text += `\x1b[${codes}m`;
    shown = codes;
    text += '▀';
  }
  return text + RESET;
}

/** The parameters of an SGR colour (ECMA-48, ISO 8613-6). */
function colourCode([r, g, b]: Rgb, depth: 'truecolor' | 'ansi256'): string {
  if (depth === 'truecolor') return `2;${r};${g};${b}`;
  // The cube has levels 0, 95, 135, 175, 215 and 255.
  const level = (x: number) => (x < 48 ? 0 : Math.min(5, Math.floor((x - 35) / 40)));
  return `5;${16 + 36 * level(r) + 6 * level(g) + level(b)}`;
}
