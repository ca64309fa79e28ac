import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { boxOfShape, volume } from '@tidegate/geometry';
import type { Simulation } from './simulation.js';

/** What the demo is to do. */
export interface DemoOptions {
  readonly simulations: readonly Simulation[];
  /** Raw-services to start. */
  readonly raw: number;
  /** Whether the service stays, with the staged data, until it is interrupted. */
  readonly keep: boolean;
  /** Folder for the pictures. */
  readonly out: string;
}

/** What was given on the command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const PICTURES = fileURLToPath(new URL('../../.out', import.meta.url));
const MAX_WINDOW = 6;
const MAX_CELLS = 1 << 27;
const STEPS = 60;
/** Fewer steps are over before a detector knows what to expect. */
const ERROR_STEPS = 12;
/** When a bit goes wrong, as a share of the steps. */
const ERROR_AT = 37 / 60;
/** Enough Euler steps for a picture: the labyrinth takes some 1500, the spots some 600. */
const PLANE = { shape: [384, 384], substeps: 25 };
const VOLUME = { shape: [48, 48, 48], substeps: 10 };

export const HELP = `Usage: node e2e/dist/demo/main.js [options]

Stages a reaction-diffusion simulation (Gray-Scott) in Tidegate, on this machine.
Writer processes each advance one box of the domain; the cells around it they get
from the service and from nowhere else. A reader follows along. At the end the
staged arrays are compared with a run in a single process, and drawn.
Triggers watch the data: they have pictures made, and they catch a bit that one
writer gets wrong, pause the run and roll it back.

Options:
  --shape SHAPE  extents of the domain, as in 384,384 or 48,48,48; once for a
                 plane, once for a volume (default: both of these)
  --steps N      steps to stage after the first (default: ${STEPS})
  --substeps N   Euler steps from one staged step to the next, and so the width
                 of the halo (default: ${PLANE.substeps} in a plane, ${VOLUME.substeps} in a volume)
  --writers N    writer processes (default: 4)
  --raw N        raw-services, which hold the data (default: 2)
  --seed N       what the start and the reader's boxes are drawn from (default: 1)
  --out DIR      folder for the pictures (default: e2e/.out)
  --no-error     let no writer get a bit wrong; without this one of the first
                 simulation does at 37 steps of 60, to be caught by a trigger
  --keep         leave the service running with the staged data until Ctrl-C,
                 and say how to look around
  -h, --help     show this

Examples:
  node e2e/dist/demo/main.js
  node e2e/dist/demo/main.js --shape 512,768 --writers 6 --keep
`;

/**
 * Reads the command line.
 *
 * @returns undefined where help is asked for
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): DemoOptions | undefined {
  const given = parse(args);
  if (given.help) return undefined;
  const shapes = given.shape?.map(parseShape) ?? [PLANE.shape, VOLUME.shape];
  if (new Set(shapes.map((shape) => shape.length)).size < shapes.length) {
    throw new UsageError('expected --shape at most once for a plane and once for a volume');
  }
  const writers = integer('writers', given.writers, 4, { min: 1, max: 64 });
  const seed = integer('seed', given.seed, 1, { min: 0, max: 2 ** 31 - 1 });
  const simulations = shapes.map((shape, at): Simulation => {
    const defaults = shape.length === 2 ? PLANE : VOLUME;
    const substeps = Math.min(defaults.substeps, ...shape);
    const steps = integer('steps', given.steps, STEPS, { min: 1, max: 100_000 });
    return {
      shape,
      steps,
      substeps: integer('substeps', given.substeps, substeps, { min: 1, max: Math.min(...shape) }),
      writers: Math.min(writers, volume(boxOfShape(shape))),
      seed,
      // Fewer than there are, so that some go to disk.
      window: Math.min(MAX_WINDOW, Math.max(1, steps >> 1)),
      ...(at === 0 && !given['no-error'] && steps >= ERROR_STEPS && { errorStep: Math.round(ERROR_AT * steps) }),
    };
  });
  return {
    simulations,
    raw: integer('raw', given.raw, 2, { min: 1, max: 16 }),
    keep: given.keep ?? false,
    out: given.out ?? PICTURES,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        shape: { type: 'string', multiple: true },
        steps: { type: 'string' },
        substeps: { type: 'string' },
        writers: { type: 'string' },
        raw: { type: 'string' },
        seed: { type: 'string' },
        out: { type: 'string' },
        'no-error': { type: 'boolean' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseShape(text: string): number[] {
  const shape = text.split(/[,x]/).map((part) => (/^[1-9][0-9]{0,8}$/.test(part) ? Number(part) : Number.NaN));
  if (![2, 3].includes(shape.length) || shape.some(Number.isNaN)) {
    throw new UsageError(`expected --shape with two or three extents, as in 384,384, got ${text}`);
  }
  if (volume(boxOfShape(shape)) > MAX_CELLS) {
    throw new UsageError(`expected a --shape of at most ${MAX_CELLS} cells, got ${text}`);
  }
  return shape;
}

function integer(
  name: string,
  text: string | undefined,
  initial: number,
  { min, max }: { min: number; max: number },
): number {
  if (text === undefined) return initial;
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`expected --${name} from ${min} to ${max}, got ${text}`);
  return value;
}
