import { DTYPES } from '@tidegate/array';
import { z } from 'zod';
import type { RunRecord } from './buckets.js';
import {
  type DeleteReply,
  type PutReply,
  type QueryReply,
  type RawStorage,
  type RollbackReply,
  STEPS_LIMIT,
  type StepsReply,
  type StorageReply,
  type UploadTicket,
  type VariableListReply,
} from './replies.js';
import type { VariableRecord } from './variable.js';

/** Schemas of what is answered and published: for the documentation, and for clients that check. Replies may grow keys. */
const count = z.number().int().min(0);
const time = z.string().meta({ format: 'date-time' });
const box = z.string().meta({ description: 'Text form `lo:hi,lo:hi`.' });
const state = z.enum(['ok', 'nearfull', 'full', 'critical']);
const tier = z.enum(['memory', 'disk']);
const tierUse = z.object({ usedBytes: count, limitBytes: count });

export const variableReplySchema: z.ZodType<VariableRecord> = z.object({
  name: z.string(),
  dtype: z.enum(DTYPES),
  shape: z.array(count),
  window: count,
  onEvict: z.enum(['spill', 'drop']),
  durability: z.enum(['memory', 'durable']),
  layout: z.exactOptional(z.array(count)),
  annotation: z.enum(['optional', 'required']),
  createdAt: time,
  shards: count,
});

export const variableListReplySchema: z.ZodType<VariableListReply> = z.object({
  variables: z.array(variableReplySchema),
});

export const putReplySchema: z.ZodType<PutReply> = z.object({
  id: z.string().meta({ description: 'ULID of the partition.' }),
  run: z.string(),
  variable: z.string(),
  step: count,
  epoch: count,
  box,
  bytes: count,
  digest: z.exactOptional(z.string()),
  rawService: z.string(),
  storage: z.object({ state, freeBytes: count }),
});

export const uploadTicketSchema: z.ZodType<UploadTicket> = z.object({
  uploadId: z.string(),
  subject: z.string().meta({ description: 'Takes the chunks and the commit, as requests.' }),
  chunkBytes: count.meta({ description: 'Largest chunk.' }),
  window: count.meta({ description: 'Most chunks that may be unanswered at a time.' }),
  expiresAt: time,
});

export const queryReplySchema: z.ZodType<QueryReply> = z.object({
  covered: z.boolean(),
  epoch: count,
  pieces: z.array(z.object({ id: z.string(), box, bytes: count, rawService: z.string(), tier })),
  missing: z.array(box).meta({ description: 'Boxes without data, at most 64.' }),
  missingCount: count,
});

export const stepsReplySchema: z.ZodType<StepsReply> = z.object({
  steps: z
    .array(z.object({ step: count, covered: z.boolean(), partitions: count, bytes: count, tier, pinned: z.boolean() }))
    .meta({ description: `In rising order, at most ${STEPS_LIMIT}.` }),
  more: z.exactOptional(z.literal(true)).meta({ description: 'Set where the list was cut.' }),
});

export const deleteReplySchema: z.ZodType<DeleteReply> = z.object({ partitions: count, bytes: count });

export const rollbackReplySchema: z.ZodType<RollbackReply> = z.object({ epoch: count });

export const rawStorageSchema: z.ZodType<RawStorage> = z.object({
  id: z.string(),
  state,
  memory: tierUse,
  disk: tierUse,
});

export const storageReplySchema: z.ZodType<StorageReply> = z.object({
  state,
  services: z.array(rawStorageSchema),
  streams: z.array(tierUse.extend({ name: z.string(), messages: count })),
});

/** Reply that says no more than that it was done. */
export const doneReplySchema = z.object({});

/** Body of the event on `runEventSubject`. */
export const runEventSchema: z.ZodType<Omit<RunRecord, 'at'>> = z.object({
  run: z.string(),
  epoch: count,
  toStep: count,
  variables: z.exactOptional(z.array(z.string())),
  reason: z.exactOptional(z.string()),
});
