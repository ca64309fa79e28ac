import { PNG } from 'pngjs';
import {
  type ColourMap,
  type ColourRange,
  colourAt,
  colourRange,
  fractionOf,
  INFERNO,
  type Rgb,
} from './colour-map.js';

/** How a field becomes a picture; the range defaults to that of its finite values. */
export interface PictureOptions extends Partial<ColourRange> {
  /** Pixels per cell along each side, a positive integer; 1 by default. */
  readonly scale?: number;
  readonly colours?: ColourMap;
}

/**
 * A plane of values as a PNG, row 0 on top. Cells that are no number are grey.
 *
 * @param field packed row-major, `height` x `width` cells
 * @throws RangeError if the field has another size or the scale is no positive integer
 */
export function fieldToPng(
  field: Float64Array,
  height: number,
  width: number,
  options: PictureOptions = {},
): Uint8Array {
  const { scale = 1, colours = INFERNO } = options;
  assertPlane(field, height, width);
  if (!Number.isInteger(scale) || scale < 1) throw new RangeError(`expected a scale of at least 1, got ${scale}`);
  const range = colourRange(field, options);
  return pixelsToPng(height, width, scale, (cell) => colourAt(fractionOf(field[cell] as number, range), colours));
}

/**
 * Cells as squares of one colour each, as a PNG.
 *
 * @param scale pixels along each side of a cell
 * @param colourOf the colour of a cell, by its place in row-major order
 */
export function pixelsToPng(height: number, width: number, scale: number, colourOf: (cell: number) => Rgb): Uint8Array {
  const png = new PNG({ width: width * scale, height: height * scale, colorType: 2 });
  const pixels = new Uint32Array(png.data.buffer, png.data.byteOffset, png.data.byteLength / 4);
  const rowPixels = width * scale;
  for (let y = 0; y < height; y++) {
    const row = y * scale * rowPixels;
    for (let x = 0; x < width; x++) {
      const [r, g, b] = colourOf(y * width + x);
      pixels.fill((0xff000000 | (b << 16) | (g << 8) | r) >>> 0, row + x * scale, row + (x + 1) * scale);
    }
    for (let copy = 1; copy < scale; copy++) pixels.copyWithin(row + copy * rowPixels, row, row + rowPixels);
  }
  return PNG.sync.write(png, { colorType: 2 });
}

/** @throws RangeError unless the field has `height` x `width` cells, at least one */
export function assertPlane(field: Float64Array, height: number, width: number): void {
  if (!(height >= 1 && width >= 1) || field.length !== height * width) {
    throw new RangeError(`expected a field of ${height} x ${width} cells, got ${field.length}`);
  }
}
