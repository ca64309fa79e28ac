import { z } from 'zod';
import type {
  DecisionReply,
  DecisionsReply,
  ExplainReply,
  KernelListReply,
  KernelReply,
  RegisterReply,
  SteerBody,
  TaskBody,
  TriggerDeleteReply,
  TriggerEventBody,
  TriggerListReply,
  TriggerReply,
  TriggerTestReply,
} from './trigger-replies.js';
import { triggerDefinitionSchema } from './trigger-schema.js';

/** Schemas of what is answered and published about triggers: for the documentation, and for clients that check. */
const count = z.number().int().min(0);
const time = z.string().meta({ format: 'date-time' });
const map = z.record(z.string(), z.unknown());
const box = z.string().meta({ description: 'Text form `lo:hi,lo:hi`.' });
const fullName = z.string().meta({ description: 'Name of the trigger; `parent~child` for a nested one.' });

const registered = { name: z.string(), generation: count, primary: count, shards: z.array(count) };
export const registerReplySchema: z.ZodType<RegisterReply> = z.object(registered);

export const triggerReplySchema = z.object({
  ...registered,
  enabled: z.boolean(),
  definition: triggerDefinitionSchema,
  digest: z.string(),
  createdAt: time,
}) as unknown as z.ZodType<TriggerReply>;

export const triggerListReplySchema: z.ZodType<TriggerListReply> = z.object({ triggers: z.array(triggerReplySchema) });

export const triggerDeleteReplySchema: z.ZodType<TriggerDeleteReply> = z.object({
  name: z.string(),
  generation: count,
});

export const decisionReplySchema: z.ZodType<DecisionReply> = z.object({
  run: z.string(),
  epoch: count,
  step: count,
  trigger: fullName,
  generation: count,
  partition: z.exactOptional(z.string()),
  verdict: z.enum(['fired', 'quiet', 'unknown']),
  state: z.enum(['inactive', 'pending', 'firing']),
  late: z.boolean(),
  indicator: z.union([z.boolean(), z.null()]),
  values: map,
  failures: z.exactOptional(z.record(z.string(), z.string())),
  reason: z.string(),
  committedAt: time,
  sequence: z.exactOptional(count),
});

export const decisionsReplySchema: z.ZodType<DecisionsReply> = z.object({
  decisions: z.array(decisionReplySchema),
  cursor: z.exactOptional(z.string()).meta({ description: 'Asks for the following ones.' }),
});

export const triggerTestReplySchema: z.ZodType<TriggerTestReply> = z.object({
  decisions: z.array(decisionReplySchema),
  notCovered: z.array(count),
});

const explained = z.object({ text: z.string(), value: z.unknown() });

export const explainReplySchema: z.ZodType<ExplainReply> = z.object({
  decision: decisionReplySchema,
  parts: z.exactOptional(z.array(z.object({ box, bytes: count, values: map }))),
  condition: z.array(explained),
  recovery: z.array(explained),
  before: map,
  after: map,
  reason: z.string(),
  actions: z.array(map),
});

const event = {
  run: z.string(),
  epoch: count,
  step: count,
  trigger: fullName,
  generation: count,
  variable: z.string(),
  box,
  values: map,
  indicator: z.union([z.boolean(), z.null()]),
  data: map,
  decision: z.string().meta({ description: 'Id of the decision.' }),
};

/** Body of the event on `triggerEventSubject`. */
export const triggerEventSchema: z.ZodType<TriggerEventBody> = z.object(event);

/** Body of the task on `taskSubject`. */
export const taskBodySchema: z.ZodType<TaskBody> = z.object({
  ...event,
  args: map,
  attempt: count,
  idempotencyKey: z.string(),
});

/** Body of the message on `steerSubject`. */
export const steerBodySchema: z.ZodType<SteerBody> = z.object({
  op: z.enum(['pause', 'resume', 'stop', 'set', 'rollback']),
  args: map,
  epoch: count,
  decision: count,
  trigger: fullName,
  step: count,
  action: count,
});

const kernel = { digest: z.string(), exports: z.array(z.string()) };
export const kernelReplySchema: z.ZodType<KernelReply> = z.object(kernel);
export const kernelListReplySchema: z.ZodType<KernelListReply> = z.object({
  kernels: z.array(z.object({ ...kernel, bytes: count })),
});
