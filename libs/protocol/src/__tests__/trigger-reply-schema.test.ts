import { expect, test } from '@jest/globals';
import type { z } from 'zod';
import {
  decisionReplySchema,
  decisionsReplySchema,
  explainReplySchema,
  kernelListReplySchema,
  kernelReplySchema,
  registerReplySchema,
  steerBodySchema,
  taskBodySchema,
  triggerDeleteReplySchema,
  triggerEventSchema,
  triggerListReplySchema,
  triggerReplySchema,
  triggerTestReplySchema,
} from '../trigger-reply-schema.js';
import { triggerDefinitionSchema } from '../trigger-schema.js';

const registered = { name: 'hot', generation: 2, primary: 3, shards: [3, 4] };
const trigger = {
  ...registered,
  enabled: true,
  definition: triggerDefinitionSchema.parse({ name: 'hot', on: { variable: 'T', box: '0:4' } }),
  digest: 'sha256:00',
  createdAt: '2026-11-24T00:00:00Z',
};
const decision = {
  run: 'r',
  epoch: 0,
  step: 7,
  trigger: 'hot~confirm',
  generation: 2,
  partition: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  verdict: 'fired',
  state: 'firing',
  late: false,
  indicator: null,
  values: { mx: 'NaN' },
  failures: { d: 'no step before' },
  reason: 'the condition holds',
  committedAt: '2026-11-24T00:00:00Z',
  sequence: 12,
};
const event = {
  run: 'r',
  epoch: 0,
  step: 7,
  trigger: 'hot',
  generation: 2,
  variable: 'T',
  box: '0:4',
  values: { mx: 1 },
  indicator: true,
  data: { severity: 'warn' },
  decision: 'hot/2/r/0/7',
};
const explained = [{ text: 'mx > 1.0', value: true }];
const kernel = { digest: 'sha256:00', exports: ['score'] };

/** A whole reply of each kind, and the keys that it may lack. */
const REPLIES: readonly (readonly [string, z.ZodType, Readonly<Record<string, unknown>>, readonly string[]])[] = [
  ['register', registerReplySchema, registered, []],
  ['trigger', triggerReplySchema, trigger, []],
  ['triggers', triggerListReplySchema, { triggers: [trigger] }, []],
  ['delete', triggerDeleteReplySchema, { name: 'hot', generation: 2 }, []],
  ['decision', decisionReplySchema, decision, ['partition', 'failures', 'sequence']],
  ['decisions', decisionsReplySchema, { decisions: [decision], cursor: 'c' }, ['cursor']],
  ['test', triggerTestReplySchema, { decisions: [decision], notCovered: [8] }, []],
  [
    'explain',
    explainReplySchema,
    {
      decision,
      parts: [{ box: '0:4', bytes: 32, values: { mx: 1 } }],
      condition: explained,
      recovery: [],
      before: { phase: 'inactive' },
      after: { phase: 'firing' },
      reason: 'the condition holds',
      actions: [{ kind: 'event' }],
    },
    ['parts'],
  ],
  ['event', triggerEventSchema, event, []],
  ['task', taskBodySchema, { ...event, args: {}, attempt: 1, idempotencyKey: 'hot/2/r/0/7#1' }, []],
  [
    'steering',
    steerBodySchema,
    { op: 'pause', args: {}, epoch: 0, decision: 12, trigger: 'hot', step: 7, action: 1 },
    [],
  ],
  ['kernel', kernelReplySchema, kernel, []],
  ['kernels', kernelListReplySchema, { kernels: [{ ...kernel, bytes: 100 }] }, []],
];

test.each(REPLIES)('%s: a whole reply fits, and only the optional keys may lack', (_, schema, reply, optional) => {
  expect(schema.parse(reply)).toEqual(reply);
  for (const key of Object.keys(reply)) {
    const { [key]: _left, ...rest } = reply;
    expect([key, schema.safeParse(rest).success]).toEqual([key, optional.includes(key)]);
    expect([key, schema.safeParse({ ...reply, [key]: undefined }).success]).toEqual([key, false]);
  }
});

test.each(REPLIES)('%s: may grow keys', (_, schema, reply) => {
  expect(schema.safeParse({ ...reply, added: 1 }).success).toBe(true);
});
