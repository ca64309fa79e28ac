import { z } from 'zod';
import {
  boxSchema,
  digestSchema,
  nameSchema,
  stepSchema,
  stepsSchema,
  ulidSchema,
  waitSchema,
} from './common-schema.js';

const run = nameSchema.default('default');

/** `{run?, variable, step, box?}` of provenance. */
export const regionSchema = z.strictObject({
  run: nameSchema.optional(),
  variable: nameSchema,
  step: stepSchema,
  box: boxSchema.optional(),
});
export const regionListSchema = z.array(regionSchema).max(4096);

/** `tide.v1.put.open`: the put's descriptor as a body, and `bytes`. */
export const putOpenSchema = z.strictObject({
  variable: nameSchema,
  run,
  step: stepSchema,
  box: boxSchema.optional(),
  bytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  id: ulidSchema.optional(),
  wait: waitSchema.default(0),
  annotation: z
    .union([z.string(), z.record(z.string(), z.unknown())], {
      error: 'expected an annotation as "sha256:<64 hex digits>", JSON text, or a map',
    })
    .optional(),
  derivedFrom: regionListSchema.optional(),
  activity: z.string().max(512).optional(),
  digest: digestSchema.optional(),
});
export type PutOpenRequest = z.infer<typeof putOpenSchema>;

/** `tide.v1.query`. */
export const querySchema = z.strictObject({
  variable: nameSchema,
  run,
  step: stepSchema,
  box: boxSchema.optional(),
  wait: waitSchema.default(0),
});
export type QueryRequest = z.infer<typeof querySchema>;

/** `tide.v1.steps`. */
export const stepsRequestSchema = z.strictObject({
  variable: nameSchema,
  run,
  after: z.number().int().min(-1).max(Number.MAX_SAFE_INTEGER).optional(),
  wait: waitSchema.default(0),
});
export type StepsRequest = z.infer<typeof stepsRequestSchema>;

/** `tide.v1.delete`. */
export const deleteSchema = z.strictObject({
  variable: nameSchema,
  run,
  steps: stepsSchema,
  box: boxSchema.optional(),
});
export type DeleteRequest = z.infer<typeof deleteSchema>;

/** `tide.v1.pin` and `tide.v1.unpin`. */
export const pinSchema = z.strictObject({
  variable: nameSchema,
  run,
  steps: stepsSchema,
  reason: z.string().max(512).optional(),
});
export type PinRequest = z.infer<typeof pinSchema>;

/** `tide.v1.run.rollback`. */
export const rollbackSchema = z.strictObject({
  run: nameSchema,
  variables: z.array(nameSchema).min(1).max(10_000).optional(),
  toStep: stepSchema,
  reason: z.string().max(512).optional(),
});
export type RollbackRequest = z.infer<typeof rollbackSchema>;
