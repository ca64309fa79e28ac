import type { TriggerDefinitionInput, TriggerRecord, VariableRecord } from '@tidegate/protocol';
import { validateDefinition } from '../semantics/index.js';

/** A declared variable. */
export function variableRecord(fields: Partial<VariableRecord> = {}): VariableRecord {
  return {
    name: 'T',
    dtype: 'float64',
    shape: [8],
    window: 10,
    onEvict: 'spill',
    durability: 'memory',
    annotation: 'optional',
    createdAt: '2026-01-01T00:00:00.000Z',
    shards: 2,
    ...fields,
  };
}

/** A trigger as the registry keeps it. */
export function triggerRecord(
  definition: TriggerDefinitionInput,
  variable: VariableRecord,
  fields: Partial<TriggerRecord> = {},
): TriggerRecord {
  const valid = validateDefinition(definition, { variable });
  return {
    name: definition.name,
    generation: 1,
    state: 'active',
    enabled: true,
    definition: valid.definition,
    digest: valid.digest,
    primary: 0,
    shards: [0],
    variableCreatedAt: variable.createdAt,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...fields,
  };
}
