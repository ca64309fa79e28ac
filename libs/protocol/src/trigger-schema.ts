import { z } from 'zod';
import { boxSchema, digestSchema, nameSchema } from './common-schema.js';

/** What `reduce` of a check may name. */
export const REDUCTIONS = [
  'min',
  'max',
  'argmin',
  'argmax',
  'sum',
  'mean',
  'var',
  'std',
  'count',
  'nan_count',
  'inf_count',
  'fraction',
  'histogram',
  'quantile',
  'entropy',
  'l2_diff',
  'linf_diff',
] as const;
export type Reduction = (typeof REDUCTIONS)[number];

/** Bounds of a definition. Nesting counts the outermost trigger as 1. */
export const TRIGGER_LIMITS = {
  definitionBytes: 65_536,
  nesting: 4,
  /** Triggers of a definition, nested ones included. */
  triggers: 64,
  checks: 32,
  actions: 16,
  expressionLength: 4096,
  /** Most numbers that a trigger may keep from step to step: depth of the history times the checks it is used of. */
  historyValues: 1024,
} as const;

const finite = z.number();
const steps = z.number().int().min(0).max(1_000_000);
const timeoutMs = z.number().int().min(1).max(60_000);
const jsonMap = z.record(z.string(), z.json());
const expression = z.string().min(1).max(TRIGGER_LIMITS.expressionLength);

/** A run's name, in which `*` stands for any characters, none included. */
const runPattern = z
  .string()
  .regex(/^[A-Za-z0-9_*-]{1,64}$/, 'expected the name of a run, in which "*" stands for any characters');

/** A subject that somebody outside answers on: no wildcards, and neither Tidegate's own subjects nor the server's. */
const outsideSubject = z
  .string()
  .max(255)
  .regex(
    /^[^\s.*>$_][^\s.*>]*(\.[^\s.*>]+)*$/,
    'expected a NATS subject without wildcards, not beginning with "$" or "_"',
  )
  .refine((subject) => !/^tide(\.|$)/.test(subject), 'expected a subject outside "tide."');

/** An export of a stored WebAssembly module. */
const kernelSchema = z.strictObject({
  digest: digestSchema,
  export: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.$-]{0,127}$/, 'expected the name of an exported function'),
});

/** What a user kernel may take: milliseconds, and pages of 64 KiB. */
const kernelLimitsSchema = z.strictObject({
  ms: z.number().int().min(1).max(60_000).default(50),
  pages: z.number().int().min(1).max(16_384).default(256),
});

/** Refuses a map that has not exactly one of `keys`. */
function exactlyOneOf<const K extends string>(keys: readonly K[]) {
  return (map: { readonly [key in K]?: unknown }, context: z.RefinementCtx): void => {
    const given = keys.filter((key) => map[key] !== undefined);
    if (given.length === 1) return;
    const got = given.length === 0 ? 'none of them' : given.map((key) => `"${key}"`).join(' and ');
    const path = given.length > 1 ? given.slice(1, 2) : [];
    context.addIssue({ code: 'custom', path, message: `expected one of ${keys.join(', ')} alone, found ${got}` });
  };
}

/**
 * One check: what is computed of the box at a step. Exactly one of `reduce`, `components`, `wasm`, `call`; the other keys
 * are parameters, and which of them a reduction takes is checked with the definition as a whole.
 */
export const checkSchema = z
  .strictObject({
    reduce: z.enum(REDUCTIONS).optional(),
    /** `histogram`, `entropy`: number of bins of equal width. */
    bins: z.number().int().min(1).max(4096).optional(),
    /** `histogram`, `entropy`: half-open range of values that the bins divide. */
    range: z.tuple([finite, finite]).optional(),
    /** `quantile`: 0 … 1. */
    q: z.number().min(0).max(1).optional(),
    /** `count`, `fraction`: cells above this value. */
    above: finite.optional(),
    /** `count`, `fraction`: cells below this value. */
    below: finite.optional(),
    /** `l2_diff`, `linf_diff`: what the box is compared with. */
    against: z.literal('previous').optional(),
    components: z
      .strictObject({
        above: finite.optional(),
        below: finite.optional(),
        connectivity: z.number().int().min(1).optional(),
      })
      .optional(),
    wasm: kernelSchema.optional(),
    /** `wasm`: bounds of one call. */
    limits: kernelLimitsSchema.optional(),
    /** `wasm`: how the results of several pieces become one. */
    merge: z.enum(['sum', 'min', 'max', 'mean']).optional(),
    call: z.strictObject({ subject: outsideSubject, timeoutMs: timeoutMs.default(2000) }).optional(),
  })
  .superRefine(exactlyOneOf(['reduce', 'components', 'wasm', 'call']));
export type CheckDefinition = z.infer<typeof checkSchema>;

/** How the checks of a step, and of the steps before it, become a verdict. All counts are steps that were decided. */
export const compareSchema = z.strictObject({
  condition: expression.default('true'),
  recovery: expression.optional(),
  for: steps.default(0),
  keepFiringFor: steps.default(0),
  edge: z.enum(['level', 'rising']).default('level'),
  cooldown: steps.default(0),
  history: z.number().int().min(1).max(TRIGGER_LIMITS.historyValues).default(8),
  onUnknown: z.enum(['hold', 'fire', 'clear']).default('hold'),
});
export type CompareDefinition = z.infer<typeof compareSchema>;

/** What `derive` makes of the box: exactly one of the transforms. */
export const transformSchema = z
  .strictObject({
    /** Every n-th cell along each dimension. */
    downsample: z.number().int().min(2).max(65_536).optional(),
    /** One byte a cell: whether it lies above, or below, or between. */
    threshold: z.strictObject({ above: finite.optional(), below: finite.optional() }).optional(),
    /** The cells of one index along one dimension. */
    slice: z.strictObject({ axis: z.number().int().min(0).max(5), index: z.number().int().min(0) }).optional(),
    wasm: kernelSchema.optional(),
    limits: kernelLimitsSchema.optional(),
  })
  .superRefine(exactlyOneOf(['downsample', 'threshold', 'slice', 'wasm']));
export type TransformDefinition = z.infer<typeof transformSchema>;

const checksSchema = z.record(z.string(), checkSchema);
const compareDefault = compareSchema.prefault({});

/** A trigger inside another: evaluated on the parent's box and run where the parent fires. */
export interface NestedTrigger {
  name: string;
  check: Record<string, CheckDefinition>;
  compare: CompareDefinition;
  action: ActionDefinition[];
}

const PLAIN_ACTIONS = {
  emit: z.strictObject({ data: jsonMap.default({}) }).optional(),
  pin: z.strictObject({ steps: z.number().int().min(1).max(10_000).default(1) }).optional(),
  persist: z.strictObject({}).optional(),
  task: z.strictObject({ name: nameSchema, args: jsonMap.default({}) }).optional(),
  call: z.strictObject({ subject: outsideSubject, timeoutMs: timeoutMs.default(2000) }).optional(),
  derive: z.strictObject({ transform: transformSchema, to: nameSchema }).optional(),
  steer: z
    .strictObject({ op: z.enum(['pause', 'resume', 'stop', 'set', 'rollback']), args: jsonMap.default({}) })
    .optional(),
};

/** The keys of an action, in the order in which the documentation lists them. */
export const ACTIONS = ['emit', 'pin', 'persist', 'task', 'call', 'derive', 'steer', 'trigger'] as const;
export type ActionKind = (typeof ACTIONS)[number];

type PlainAction = z.ZodObject<typeof PLAIN_ACTIONS, z.core.$strict>;
/** One action: exactly one of its keys is there. */
export type ActionDefinition = z.output<PlainAction> & { trigger?: NestedTrigger | undefined };
/** An action as written: defaults may be left out. */
export type ActionInput = z.input<PlainAction> & { trigger?: NestedTriggerInput | undefined };
/** A nested trigger as written: defaults may be left out. */
export interface NestedTriggerInput {
  name: string;
  check?: Record<string, z.input<typeof checkSchema>> | undefined;
  compare?: z.input<typeof compareSchema> | undefined;
  action?: ActionInput[] | undefined;
}

export const nestedTriggerSchema: z.ZodType<NestedTrigger, NestedTriggerInput> = z.strictObject({
  name: nameSchema,
  check: checksSchema.default({}),
  compare: compareDefault,
  get action() {
    return z.array(actionSchema).max(TRIGGER_LIMITS.actions).default([]);
  },
});

export const actionSchema: z.ZodType<ActionDefinition, ActionInput> = z
  .strictObject({ ...PLAIN_ACTIONS, trigger: z.optional(nestedTriggerSchema) })
  .superRefine(exactlyOneOf(ACTIONS));

/** What a trigger watches. No box means the whole domain. */
export const triggerScopeSchema = z.strictObject({
  variable: nameSchema,
  box: boxSchema.optional(),
  run: runPattern.default('*'),
  every: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1),
  when: z.enum(['covered', 'partition']).default('covered'),
});
export type TriggerScope = z.infer<typeof triggerScopeSchema>;

/** The definition of a trigger: the body of `tide.v1.trigger.register`. */
export const triggerDefinitionSchema = z.strictObject({
  name: nameSchema,
  on: triggerScopeSchema,
  check: checksSchema.default({}),
  compare: compareDefault,
  action: z.array(actionSchema).max(TRIGGER_LIMITS.actions).default([]),
});
export type TriggerDefinition = z.infer<typeof triggerDefinitionSchema>;
/** A definition as written: defaults may be left out. */
export type TriggerDefinitionInput = z.input<typeof triggerDefinitionSchema>;
