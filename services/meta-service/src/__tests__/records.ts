import { boxOfShape, createShardMap, formatBox, parseBox } from '@tidegate/geometry';
import {
  parseRequest,
  type TriggerRecord,
  type TriggerScope,
  triggerDefinitionSchema,
  type VariableRecord,
} from '@tidegate/protocol';

/** The record of a variable. */
export function variableOf(name: string, shape: readonly number[], shards = 4): VariableRecord {
  return {
    name,
    dtype: 'int8',
    shape,
    window: 10,
    onEvict: 'spill',
    durability: 'memory',
    annotation: 'optional',
    createdAt: '2026-01-01T00:00:00Z',
    shards,
  };
}

/** The record of an active trigger on a variable, as an engine writes it; a box that is none gets no shards. */
export function triggerOf(
  name: string,
  variable: VariableRecord,
  on: Partial<TriggerScope> = {},
  over: Partial<TriggerRecord> = {},
): TriggerRecord {
  const box = on.box ?? formatBox(boxOfShape(variable.shape));
  const definition = parseRequest(triggerDefinitionSchema, {
    name,
    on: { variable: variable.name, ...on, box: '0:1' },
  });
  let shards: readonly number[] = [];
  try {
    shards = createShardMap(variable).shardsOf(parseBox(box));
  } catch {
    shards = [0];
  }
  return {
    name,
    generation: 1,
    state: 'active',
    enabled: true,
    definition: { ...definition, on: { ...definition.on, box } },
    digest: `sha256:${'0'.repeat(64)}`,
    primary: shards[0] ?? 0,
    shards,
    variableCreatedAt: variable.createdAt,
    createdAt: variable.createdAt,
    updatedAt: variable.createdAt,
    ...over,
  };
}
