import { boxOfShape, volume } from '@tidegate/geometry';
import { type GrayScottParams, LABYRINTH, SPOTS } from './gray-scott.js';

/** One simulation to stage: its size, and what everyone who takes part in it has to agree on. */
export interface Simulation {
  /** Extents of the periodic domain, two or three. */
  readonly shape: readonly number[];
  /** Staged steps beside step 0, the start. */
  readonly steps: number;
  /** Euler steps from one staged step to the next, and so the width of the halo. */
  readonly substeps: number;
  readonly writers: number;
  readonly seed: number;
  /** Steps that stay in memory; older ones are spilled. */
  readonly window: number;
  /** Step at which one writer gets one bit of V wrong, once; none where it is undefined. */
  readonly errorStep?: number;
}

/** How unequal the writers' boxes are: see `decompose`. */
export const SKEW = 0.04;

/** What a simulation is called: `2-D 384x384`. */
export function title({ shape }: Simulation): string {
  return `${shape.length}-D ${shape.join('x')}`;
}

/** The run that a simulation is staged as, so that each of them has its own epochs and is steered by itself. */
export function runOf({ shape }: Simulation): string {
  return shape.length === 2 ? 'plane' : 'volume';
}

/** Names of the two variables of a simulation. */
export function variablesOf({ shape }: Simulation): { readonly u: string; readonly v: string } {
  return { u: `U_${shape.length}d`, v: `V_${shape.length}d` };
}

/** Coefficients that make a picture worth looking at. */
export function paramsOf({ shape }: Simulation): GrayScottParams {
  return shape.length === 2 ? LABYRINTH : SPOTS;
}

/** Bytes of one step: both species, float64. */
export function stepBytes({ shape }: Simulation): number {
  return 2 * 8 * volume(boxOfShape(shape));
}

/** The memory of an array of cells, as bytes. */
export function bytesOf(cells: Float64Array): Uint8Array {
  return new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
}
