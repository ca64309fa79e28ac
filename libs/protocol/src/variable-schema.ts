import { DTYPES } from '@tidegate/array';
import { z } from 'zod';
import { nameSchema } from './common-schema.js';

/** As many blocks as a shard map takes. */
const MAX_LAYOUT_BLOCKS = 2 ** 20;

const shape = z
  .array(z.number().int().min(1).max(Number.MAX_SAFE_INTEGER))
  .min(1)
  .max(6)
  .refine(
    (dims) => Number.isSafeInteger(dims.reduce((cells, size) => cells * size, 1)),
    'expected at most 2^53-1 cells',
  );

/** `tide.v1.variable.declare`. `annotation` may also be absent. */
export const declareSchema = z
  .strictObject({
    name: nameSchema,
    dtype: z.enum(DTYPES),
    shape,
    window: z.number().int().min(1).max(1_000_000).default(10),
    onEvict: z.enum(['spill', 'drop']).default('spill'),
    durability: z.enum(['memory', 'durable']).default('memory'),
    layout: z.array(z.number().int().min(1).max(65_536)).min(1).max(6).optional(),
    annotation: z.enum(['optional', 'required']).default('optional'),
  })
  .refine((variable) => variable.layout === undefined || variable.layout.length === variable.shape.length, {
    path: ['layout'],
    message: 'expected as many entries as shape has',
  })
  .refine(
    (variable) =>
      variable.layout === undefined || variable.layout.every((blocks, axis) => blocks <= (variable.shape[axis] ?? 0)),
    {
      path: ['layout'],
      message: 'expected no more blocks than cells along any dimension',
    },
  )
  .refine((variable) => (variable.layout ?? []).reduce((blocks, count) => blocks * count, 1) <= MAX_LAYOUT_BLOCKS, {
    path: ['layout'],
    message: 'expected at most 2^20 blocks',
  });
export type DeclareRequest = z.infer<typeof declareSchema>;
/** What a caller of declare gives: defaults may be left out. */
export type Declaration = z.input<typeof declareSchema>;

/** `tide.v1.variable.get` and `tide.v1.variable.delete`. */
export const variableNameSchema = z.strictObject({ name: nameSchema });
/** `tide.v1.variable.list`. */
export const emptySchema = z.strictObject({});
