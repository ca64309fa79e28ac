import { type TriggerRecord, triggerDefinitionSchema } from '@tidegate/protocol';

/** A trigger's record, enabled and active unless said otherwise. */
export function sampleTrigger(
  name: string,
  options: Partial<Omit<TriggerRecord, 'definition'>> & {
    readonly variable?: string;
    readonly run?: string;
    readonly every?: number;
  } = {},
): TriggerRecord {
  const { variable = 'T', run = '*', every = 1, ...record } = options;
  return {
    name,
    generation: 1,
    state: 'active',
    enabled: true,
    definition: triggerDefinitionSchema.parse({ name, on: { variable, run, every } }),
    digest: `sha256:${'0'.repeat(64)}`,
    primary: 0,
    shards: [0],
    variableCreatedAt: 'declared',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...record,
  };
}
