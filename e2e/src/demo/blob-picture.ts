import { colourAt, type Rgb } from './colour-map.js';
import { assertPlane, pixelsToPng } from './picture.js';

/** Connected cells of a plane: 0 is outside, blobs count from 1 in the order of their first cells. */
export interface Blobs {
  readonly labels: Uint32Array;
  readonly count: number;
}

/**
 * The blobs of cells above a value; cells that share a side are connected, across the border they are not.
 *
 * @param field packed row-major, `height` x `width` cells
 * @throws RangeError if the field has another size
 */
export function labelBlobs(field: Float64Array, height: number, width: number, above: number): Blobs {
  assertPlane(field, height, width);
  const labels = new Uint32Array(field.length);
  // Every cell is labelled when it is put here, hence at most once.
  const open = new Uint32Array(field.length);
  let count = 0;
  for (let start = 0; start < field.length; start++) {
    if (labels[start] !== 0 || !((field[start] as number) > above)) continue;
    labels[start] = ++count;
    open[0] = start;
    for (let size = 1; size > 0; ) {
      const cell = open[--size] as number;
      const column = cell % width;
      const ends = [column > 0, column < width - 1, cell >= width, cell + width < field.length];
      const neighbours = [cell - 1, cell + 1, cell - width, cell + width];
      for (const [side, next] of neighbours.entries()) {
        if (!ends[side] || labels[next] !== 0 || !((field[next] as number) > above)) continue;
        labels[next] = count;
        open[size++] = next;
      }
    }
  }
  return { labels, count };
}

/** Share of a full turn of the colour circle from one blob to the next: the golden ratio keeps neighbours apart. */
const TURN = 0.618034;
/** How bright the field outside the blobs is drawn. */
const DIMMED = 0.35;

/**
 * A plane with each of its blobs in a colour of its own, the rest of the field dimmed, as a PNG with row 0 on top.
 *
 * @param scale pixels per cell along each side
 */
export function blobsToPng(
  field: Float64Array,
  height: number,
  width: number,
  { above, scale }: { readonly above: number; readonly scale: number },
): Uint8Array {
  const { labels } = labelBlobs(field, height, width, above);
  const largest = field.reduce((max, value) => Math.max(max, value), above);
  return pixelsToPng(height, width, scale, (cell) => {
    const value = field[cell] as number;
    const label = labels[cell] as number;
    if (label === 0) return colourAt(DIMMED * Math.min(1, Math.max(0, value / above)));
    return hueColour((label * TURN) % 1, 0.6 + (0.4 * (value - above)) / (largest - above));
  });
}

/** A full colour: hue 0 … 1 around the circle, brightness 0 … 1. */
function hueColour(hue: number, brightness: number): Rgb {
  const channel = (offset: number): number => {
    const distance = Math.abs(((hue * 6 + offset) % 6) - 3) - 1;
    return Math.round(255 * brightness * (0.25 + 0.75 * Math.min(1, Math.max(0, distance))));
  };
  return [channel(0), channel(4), channel(2)];
}
