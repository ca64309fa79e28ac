import { DTYPES, type DType } from '@tidegate/array';
import { type Box, isGeometryError, parseBox } from '@tidegate/geometry';
import { BadRequestError, boxSchema, digestSchema, parseRequest } from '@tidegate/protocol';
import { z } from 'zod';

/** Most entries of each list: the checks of a definition, and the two order statistics of a quantile. */
const MAX_CHECKS = 64;

const bounds = { above: z.number().optional(), below: z.number().optional() };

const roundSchema = z.strictObject({
  /** 0 for the first; later rounds only narrow quantiles down. */
  round: z.number().int().min(0).max(8),
  dtype: z.enum(DTYPES as readonly [DType, ...DType[]]),
  /** The trigger's box. */
  box: boxSchema,
  /** What the pass over the cells keeps: each level includes those before it. */
  stats: z.enum(['extrema', 'sums', 'moments']).optional(),
  /** Whether the positions of the extrema are wanted. */
  positions: z.boolean(),
  /** Numbers of cells between bounds. */
  ranges: z.array(z.strictObject(bounds)).max(MAX_CHECKS),
  /**
   * Cells by bins of equal width, floor((x - lower) / (upper - lower) * bins) in float64 for lower <= x < upper; what
   * rounds up to `bins` is in the last one.
   */
  histograms: z
    .array(z.strictObject({ lower: z.number(), upper: z.number(), bins: z.number().int().min(1).max(4096) }))
    .max(MAX_CHECKS),
  /** Quantiles of the piece alone. */
  quantiles: z.array(z.number().min(0).max(1)).max(MAX_CHECKS),
  /** Cells by 16 bits of their order key above `shift`, among those whose key begins with `prefix` (hexadecimal). */
  digits: z
    .array(
      z.strictObject({
        prefix: z.string().regex(/^[0-9a-f]{1,12}$/),
        shift: z.union([0, 16, 32, 48].map((n) => z.literal(n))),
      }),
    )
    .max(MAX_CHECKS),
  components: z
    .array(z.strictObject({ ...bounds, neighbours: z.union([2, 4, 8, 6, 18, 26].map((n) => z.literal(n))) }))
    .max(MAX_CHECKS),
  /** Differences from the previous step: the largest, or the sum of squares too. */
  difference: z.enum(['largest', 'squares']).optional(),
  wasm: z
    .array(
      z.strictObject({
        digest: digestSchema,
        export: z.string().min(1).max(128),
        ms: z.number().int().min(1).max(60_000),
        pages: z.number().int().min(1).max(16_384),
      }),
    )
    .max(MAX_CHECKS),
  needsPrevious: z.boolean(),
  kernels: z.array(digestSchema).max(MAX_CHECKS),
});

type Deep<T> = T extends readonly (infer E)[]
  ? readonly Deep<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Deep<T[K]> }
    : T;

/**
 * What the raw-services compute of every piece in one round. Plain JSON. `needsPrevious` tells that the previous step's
 * cells are read, `kernels` which user modules, by digest.
 */
export type RoundSpec = Deep<z.output<typeof roundSchema>>;
export type DigitQuery = RoundSpec['digits'][number];
export type HistogramSpec = RoundSpec['histograms'][number];
export type ComponentSpec = RoundSpec['components'][number];
export type UserKernelSpec = RoundSpec['wasm'][number];

/**
 * Checks a round's description that came by the wire.
 * @throws BadRequestError naming the offending key
 */
export function parseRoundSpec(map: unknown): RoundSpec {
  const spec = parseRequest(roundSchema, map);
  for (const [at, { lower, upper }] of spec.histograms.entries()) {
    if (!(lower < upper)) {
      throw new BadRequestError(
        `histograms.${at}`,
        `histograms.${at}: expected lower < upper, got ${lower} and ${upper}`,
      );
    }
  }
  const rank = specBox(spec).lower.length;
  for (const [at, { neighbours }] of spec.components.entries()) {
    if (!NEIGHBOURS[rank]?.includes(neighbours)) {
      throw new BadRequestError(
        `components.${at}.neighbours`,
        `components.${at}.neighbours: expected ${NEIGHBOURS[rank]?.join(', ') ?? 'at most 3 dimensions'}, got ${neighbours}`,
      );
    }
  }
  return { ...spec, ...derived(spec) };
}

/** Neighbours of a cell by rank: those that share a face, an edge too, a corner too. */
export const NEIGHBOURS: Readonly<Record<number, readonly number[]>> = { 1: [2], 2: [4, 8], 3: [6, 18, 26] };

/** The keys of a round's description that follow from the others. */
export function derived({ difference, wasm }: Pick<RoundSpec, 'difference' | 'wasm'>): {
  needsPrevious: boolean;
  kernels: string[];
} {
  return { needsPrevious: difference !== undefined, kernels: [...new Set(wasm.map(({ digest }) => digest))] };
}

/** The trigger's box of a round. */
export function specBox({ box }: Pick<RoundSpec, 'box'>): Box {
  try {
    return parseBox(box);
  } catch (error) {
    if (!isGeometryError(error)) throw error;
    throw new BadRequestError('box', `box: expected ${error.expected}`);
  }
}
