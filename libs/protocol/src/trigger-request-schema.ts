import { z } from 'zod';
import { nameSchema, stepSchema, stepsSchema } from './common-schema.js';
import { DECISIONS_LIMIT } from './trigger-replies.js';
import { triggerDefinitionSchema } from './trigger-schema.js';

/** Requests about triggers. The definition of `trigger.register` and `trigger.test` is checked further by the engine. */

/** Name of a trigger, or of a nested one as `parent~child`. */
export const fullNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}(~[A-Za-z0-9_-]{1,64}){0,3}$/, 'expected the name of a trigger, or "parent~child"');

/** `trigger.get`, `delete`, `enable`, `disable`. */
export const triggerNameSchema = z.strictObject({ name: nameSchema });
export type TriggerNameRequest = z.infer<typeof triggerNameSchema>;

/** `trigger.list`. */
export const triggerListSchema = z.strictObject({ variable: nameSchema.optional() });
export type TriggerListRequest = z.infer<typeof triggerListSchema>;

/** `trigger.test`. */
export const triggerTestSchema = z.strictObject({
  definition: z.record(z.string(), z.unknown()),
  run: nameSchema.default('default'),
  steps: stepsSchema,
});
export type TriggerTestRequest = z.infer<typeof triggerTestSchema>;
/** The same for documentation: with the definition's own schema. */
export const triggerTestDocumentSchema = triggerTestSchema.extend({ definition: triggerDefinitionSchema });

/** `trigger.explain`. */
export const triggerExplainSchema = z.strictObject({
  name: fullNameSchema,
  run: nameSchema.default('default'),
  step: stepSchema,
  generation: z.number().int().min(1).optional(),
});
export type TriggerExplainRequest = z.infer<typeof triggerExplainSchema>;

/** `trigger.decisions`: `from` is the lowest step. */
export const triggerDecisionsSchema = z.strictObject({
  name: fullNameSchema,
  run: nameSchema.optional(),
  from: stepSchema.optional(),
  limit: z.number().int().min(1).max(DECISIONS_LIMIT).default(100),
  cursor: z.string().max(64).optional(),
  generation: z.number().int().min(1).optional(),
});
export type TriggerDecisionsRequest = z.infer<typeof triggerDecisionsSchema>;
