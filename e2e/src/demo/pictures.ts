import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NdArray, Tidegate } from '@tidegate/client';
import { type Box, boxOfShape } from '@tidegate/geometry';
import { fieldToPng } from './picture.js';
import { runOf, type Simulation, variablesOf } from './simulation.js';
import { fieldToTerminal, type TerminalDepth } from './terminal-picture.js';

/** A plane of V of the last step. */
export interface Plane {
  readonly cells: Float64Array;
  readonly height: number;
  readonly width: number;
}

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));
/** A picture's longer side gets about this many pixels where the field has fewer. */
const PIXELS = 768;
const MAX_COLUMNS = 80;
const MIN_LINES = 24;

/** Gets V of the last step: the whole plane, or of a volume the slice in the middle, which is a box like any other. */
export async function lastPlane(tide: Tidegate, simulation: Simulation): Promise<Plane> {
  const { shape, steps: step } = simulation;
  const [height, width] = shape.slice(-2) as [number, number];
  const variable = variablesOf(simulation).v;
  const array: NdArray = await tide.get({ variable, run: runOf(simulation), step, box: planeBox(shape) });
  return { cells: array.data as Float64Array, height, width };
}

/** What is drawn of a domain: all of a plane, of a volume the layer in the middle. */
export function planeBox(shape: readonly number[]): Box {
  const { lower, upper } = boxOfShape(shape);
  if (shape.length < 3) return { lower, upper };
  const middle = (shape[0] as number) >> 1;
  return { lower: lower.with(0, middle), upper: upper.with(0, middle + 1) };
}

/** Pixels per cell along each side. */
export function pictureScale(height: number, width: number): number {
  return Math.max(1, Math.floor(PIXELS / Math.max(height, width)));
}

/** File of the picture that a step's blobs are drawn into. */
export function blobPictureName(dimensions: number, step: number): string {
  return dimensions === 2 ? `blobs-${step}.png` : `blobs-3d-${step}.png`;
}

/** Writes the PNG into a folder. @returns its path, as seen from the checkout */
export async function writePicture(plane: Plane, simulation: Simulation, folder: string): Promise<string> {
  const { cells, height, width } = plane;
  const scale = pictureScale(height, width);
  await mkdir(folder, { recursive: true });
  const path = join(folder, simulation.shape.length === 2 ? 'gray-scott-2d.png' : 'gray-scott-3d-slice.png');
  await writeFile(path, fieldToPng(cells, height, width, { scale }));
  return pathFromCheckout(path);
}

/** A path as seen from the checkout, where it is inside. */
export function pathFromCheckout(path: string): string {
  const fromCheckout = relative(CHECKOUT, path);
  return fromCheckout.startsWith('..') ? path : fromCheckout;
}

/** The plane as text that fits the terminal, in as many colours as it has. */
export function drawPlane({ cells, height, width }: Plane, stream: NodeJS.WriteStream = process.stdout): string {
  const lines = Math.max(MIN_LINES, (stream.rows ?? 0) - 2);
  const columns = Math.min(stream.columns ?? MAX_COLUMNS, MAX_COLUMNS, Math.round((2 * lines * width) / height));
  return fieldToTerminal(cells, height, width, { columns: Math.max(1, columns), depth: depthOf(stream) });
}

function depthOf(stream: NodeJS.WriteStream): TerminalDepth {
  if (!stream.isTTY) return 'ascii';
  const bits = stream.getColorDepth();
  if (bits >= 24) return 'truecolor';
  return bits >= 8 ? 'ansi256' : 'ascii';
}
