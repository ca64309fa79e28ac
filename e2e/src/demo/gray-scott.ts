import { copyBox } from '@tidegate/array';
import { type Box, boxOfShape, volume } from '@tidegate/geometry';
import { corePlace, haloBoxes, paddedBox } from './halo.js';
import { type Field, initialField } from './initial-field.js';

// Gray-Scott reaction-diffusion (J. E. Pearson, "Complex Patterns in a Simple System", Science 261, 1993) on a periodic
// grid of unit spacing, explicit Euler. A cell is computed by the same operations in the same order wherever it lies
// in a local array, so a decomposed run equals the serial one bit for bit.

/**
 * Coefficients of the model. Euler steps are stable while `dt * (4 * dimensions * du + feed + max(v)²)` is below 2, where v
 * stays under 0.6: beyond that a checkerboard grows. The presets keep to it in two and in three dimensions.
 */
export interface GrayScottParams {
  /** Feed rate F of species U. */
  readonly feed: number;
  /** Kill rate k of species V. */
  readonly kill: number;
  /** Diffusion coefficients, in cells² per unit of time. */
  readonly du: number;
  readonly dv: number;
  /** Time step. */
  readonly dt: number;
}

/** Worms that grow and split into a labyrinth. */
export const LABYRINTH: GrayScottParams = { feed: 0.037, kill: 0.06, du: 0.125, dv: 0.0625, dt: 1 };

/** Spots that divide until they fill the domain. */
export const SPOTS: GrayScottParams = { feed: 0.03, kill: 0.062, du: 0.125, dv: 0.0625, dt: 1 };

/** The cells of one halo box, with their place in the padded local array. */
export interface HaloField extends Field {
  readonly place: Box;
}

/**
 * Advances the cells of one box by `substeps` Euler steps, given the frame of that width around it (`haloBoxes`).
 *
 * @param options.box the writer's box, in 2 or 3 dimensions
 * @param options.halos the frame; its places must tile the padded array but for the box
 * @param options.substeps steps to take from one exchange, 1 by default
 * @returns new arrays over `box`
 * @throws RangeError if the halos do not make up the frame
 */
export function advance(options: {
  box: Box;
  u: Float64Array;
  v: Float64Array;
  halos: readonly HaloField[];
  params: GrayScottParams;
  substeps?: number;
}): Field {
  const { box, u, v, halos, params, substeps = 1 } = options;
  const padded = paddedBox(box, substeps);
  const core = corePlace(box, substeps);
  const frame = volume(padded) - volume(core);
  const given = halos.reduce((cells, halo) => cells + volume(halo.place), 0);
  if (given !== frame) throw new RangeError(`expected halos of ${frame} cells in all, got ${given}`);
  let from = emptyField(volume(padded));
  let to = emptyField(volume(padded));
  copyField({ u, v }, core, from, padded, core);
  for (const halo of halos) copyField(halo, halo.place, from, padded, halo.place);
  // Every sub-step leaves one more layer of the frame without valid neighbours.
  for (let margin = 1; margin <= substeps; margin++) {
    step(from, to, padded.upper, margin, params);
    [from, to] = [to, from];
  }
  return cutField(from, padded, core);
}

/** Runs the whole domain as one box: the reference for decomposed runs, and the quickest way to a picture. */
export function serialRun(options: {
  shape: readonly number[];
  seed: number;
  steps: number;
  params: GrayScottParams;
}): Field {
  const { shape, seed, steps, params } = options;
  const box = boxOfShape(shape);
  const frame = haloBoxes(box, shape);
  let field = initialField({ shape, seed, box });
  for (let n = 0; n < steps; n++) {
    const halos = frame.map((halo) => ({ place: halo.place, ...cutField(field, box, halo.box) }));
    field = advance({ box, ...field, halos, params });
  }
  return field;
}

/** The cells of `box` out of a field over `fieldBox`, copied. */
export function cutField(field: Field, fieldBox: Box, box: Box): Field {
  const part = emptyField(volume(box));
  copyField(field, fieldBox, part, box, box);
  return part;
}

function emptyField(cells: number): Field {
  return { u: new Float64Array(cells), v: new Float64Array(cells) };
}

function copyField(from: Field, sourceBox: Box, to: Field, targetBox: Box, box: Box): void {
  for (const species of ['u', 'v'] as const) {
    const source = bytesOf(from[species]);
    copyBox({ source, sourceBox, target: bytesOf(to[species]), targetBox, box, itemSize: 8 });
  }
}

function bytesOf(cells: Float64Array): Uint8Array {
  return new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
}

/** One Euler step of all cells that are at least `margin` away from the faces of the local array. */
function step(from: Field, to: Field, shape: readonly number[], margin: number, params: GrayScottParams): void {
  if (shape.length === 2) stepPlane(from, to, shape, margin, params);
  else stepVolume(from, to, shape, margin, params);
}

function stepPlane(from: Field, to: Field, shape: readonly number[], margin: number, params: GrayScottParams): void {
  const { u, v } = from;
  const { u: nextU, v: nextV } = to;
  const { feed, kill, du, dv, dt } = params;
  const [height, width] = shape as readonly [number, number];
  for (let y = margin; y < height - margin; y++) {
    const end = (y + 1) * width - margin;
    for (let i = y * width + margin; i < end; i++) {
      const a = u[i] as number;
      const b = v[i] as number;
      const up = i - width;
      const down = i + width;
      const spreadU = (u[up] as number) + (u[down] as number) + ((u[i - 1] as number) + (u[i + 1] as number)) - 4 * a;
      const spreadV = (v[up] as number) + (v[down] as number) + ((v[i - 1] as number) + (v[i + 1] as number)) - 4 * b;
      const reaction = a * b * b;
      nextU[i] = a + dt * (du * spreadU - reaction + feed * (1 - a));
      nextV[i] = b + dt * (dv * spreadV + reaction - (feed + kill) * b);
    }
  }
}

function stepVolume(from: Field, to: Field, shape: readonly number[], margin: number, params: GrayScottParams): void {
  const { u, v } = from;
  const { u: nextU, v: nextV } = to;
  const { feed, kill, du, dv, dt } = params;
  const [depth, height, width] = shape as readonly [number, number, number];
  const layer = height * width;
  for (let z = margin; z < depth - margin; z++) {
    for (let y = margin; y < height - margin; y++) {
      const row = (z * height + y) * width;
      for (let i = row + margin; i < row + width - margin; i++) {
        const a = u[i] as number;
        const b = v[i] as number;
        const spreadU =
          (u[i - layer] as number) +
          (u[i + layer] as number) +
          ((u[i - width] as number) + (u[i + width] as number)) +
          ((u[i - 1] as number) + (u[i + 1] as number)) -
          6 * a;
        const spreadV =
          (v[i - layer] as number) +
          (v[i + layer] as number) +
          ((v[i - width] as number) + (v[i + width] as number)) +
          ((v[i - 1] as number) + (v[i + 1] as number)) -
          6 * b;
        const reaction = a * b * b;
        nextU[i] = a + dt * (du * spreadU - reaction + feed * (1 - a));
        nextV[i] = b + dt * (dv * spreadV + reaction - (feed + kill) * b);
      }
    }
  }
}
