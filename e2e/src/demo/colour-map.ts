/** A colour: red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Colours of a scale, evenly spaced from the lowest value to the highest. */
export type ColourMap = readonly Rgb[];

/** `inferno` of matplotlib (S. van der Walt and N. Smith, CC0): perceptually even, safe for the colour blind. */
export const INFERNO: ColourMap = [
  [0, 0, 4],
  [11, 7, 36],
  [33, 12, 74],
  [61, 9, 101],
  [87, 16, 110],
  [113, 25, 110],
  [138, 34, 106],
  [163, 44, 97],
  [188, 55, 84],
  [208, 69, 69],
  [227, 89, 51],
  [241, 113, 31],
  [249, 140, 10],
  [252, 170, 15],
  [249, 201, 50],
  [242, 232, 101],
  [252, 255, 164],
];

/** Cells that are no number. */
const NO_NUMBER: Rgb = [128, 128, 128];

/** The values that get the lowest and the highest colour. */
export interface ColourRange {
  readonly min: number;
  readonly max: number;
}

/** The range of the finite values of a field, with what is given taking precedence. */
export function colourRange(field: Float64Array, given: Partial<ColourRange> = {}): ColourRange {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of field) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min: given.min ?? min, max: given.max ?? max };
}

/** Place of a value in its range, 0 to 1, clamped; NaN for what is no number. A range without extent maps to 0. */
export function fractionOf(value: number, { min, max }: ColourRange): number {
  if (Number.isNaN(value)) return Number.NaN;
  if (value <= min) return 0;
  return value >= max ? 1 : (value - min) / (max - min);
}

/** The colour at a fraction from 0 to 1, linear between the two anchors around it; grey for NaN. */
export function colourAt(fraction: number, map: ColourMap = INFERNO): Rgb {
  if (Number.isNaN(fraction)) return NO_NUMBER;
  const at = fraction * (map.length - 1);
  const below = Math.min(Math.floor(at), map.length - 2);
  const [r0, g0, b0] = map[below] as Rgb;
  const [r1, g1, b1] = map[below + 1] as Rgb;
  const t = at - below;
  return [Math.round(r0 + t * (r1 - r0)), Math.round(g0 + t * (g1 - g0)), Math.round(b0 + t * (b1 - b0))];
}
