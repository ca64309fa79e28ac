import { type Box, shapeOf, volume } from '@tidegate/geometry';

/** Concentrations of the two species, packed row-major over one box. */
export interface Field {
  readonly u: Float64Array;
  readonly v: Float64Array;
}

/** One seed per this many cells along each dimension, and its radius. */
const SEED_SPACING = 24;
const SEED_RADIUS = 5;
/** Largest deviation from the two states, which breaks the symmetry of the seeds. */
const NOISE = 0.02;

/**
 * The start over `box`: the trivial state (u = 1, v = 0) with balls of (u = 0.5, v = 0.25) strewn into it and a little noise.
 * Each cell is a function of the seed, the shape and its own position alone, so any decomposition makes the same start.
 *
 * @param options.shape extents of the periodic domain, 2 or 3 of them
 */
export function initialField({ shape, seed, box }: { shape: readonly number[]; seed: number; box: Box }): Field {
  const u = new Float64Array(volume(box));
  const v = new Float64Array(volume(box));
  // A plane is a domain of one layer.
  const [depth, height, width] = threeExtents(shape);
  const [layers, rows, columns] = threeExtents(shapeOf(box));
  const [z0, y0, x0] = box.lower.length === 2 ? [0, ...box.lower] : box.lower;
  const centres = seedCentres([depth, height, width], seed);
  let cell = 0;
  for (let z = z0 as number; z < (z0 as number) + layers; z++) {
    for (let y = y0 as number; y < (y0 as number) + rows; y++) {
      for (let x = x0 as number; x < (x0 as number) + columns; x++, cell++) {
        const index = (z * height + y) * width + x;
        u[cell] = 1 - NOISE * random(seed, 2 * index);
        v[cell] = NOISE * random(seed, 2 * index + 1);
      }
    }
  }
  for (let i = 0; i < centres.length; i += 3) {
    cell = 0;
    for (let z = z0 as number; z < (z0 as number) + layers; z++) {
      const dz = wrappedDistance(z, centres[i] as number, depth);
      for (let y = y0 as number; y < (y0 as number) + rows; y++, cell += columns) {
        const dy = wrappedDistance(y, centres[i + 1] as number, height);
        const reach = SEED_RADIUS * SEED_RADIUS - dz * dz - dy * dy;
        if (reach < 0) continue;
        for (let x = 0; x < columns; x++) {
          const dx = wrappedDistance((x0 as number) + x, centres[i + 2] as number, width);
          if (dx * dx > reach) continue;
          const index = (z * height + y) * width + (x0 as number) + x;
          u[cell + x] = 0.5 + NOISE * random(seed, 2 * index);
          v[cell + x] = 0.25 + NOISE * random(seed, 2 * index + 1);
        }
      }
    }
  }
  return { u, v };
}

/** Positions (z, y, x) of the seeds. */
function seedCentres(shape: readonly [number, number, number], seed: number): Float64Array {
  const dimensions = shape[0] === 1 ? 2 : 3;
  const count = Math.max(1, Math.round((shape[0] * shape[1] * shape[2]) / SEED_SPACING ** dimensions));
  const centres = new Float64Array(3 * count);
  // A stream of its own, apart from the noise of the cells.
  for (let i = 0; i < centres.length; i++) {
    centres[i] = Math.floor(random(~seed, i) * (shape[i % 3] as number));
  }
  return centres;
}

function wrappedDistance(a: number, b: number, length: number): number {
  const distance = Math.abs(a - b);
  return Math.min(distance, length - distance);
}

function threeExtents(shape: readonly number[]): [number, number, number] {
  const [a, b, c] = shape;
  if (shape.length === 2) return [1, a as number, b as number];
  if (shape.length === 3) return [a as number, b as number, c as number];
  throw new RangeError(`expected 2 or 3 dimensions, got ${shape.length}`);
}

/** A number in [0, 1) that looks random, from a seed and a counter below 2^53. */
function random(seed: number, counter: number): number {
  return mix(mix(mix(seed) ^ Math.floor(counter / 2 ** 32)) ^ counter) / 2 ** 32;
}

/** Bijective 32-bit mixer `lowbias32` (Chris Wellons, "Prospecting for hash functions", 2018). */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
