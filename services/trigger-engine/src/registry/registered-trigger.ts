import type { VariableHandle } from '@tidegate/client/region';
import { type Box, parseBox } from '@tidegate/geometry';
import type { TriggerRecord } from '@tidegate/protocol';
import { type CompiledTrigger, type ValidDefinition, validateDefinition } from '../semantics/index.js';

/** A registered trigger, ready to decide. */
export interface RegisteredTrigger {
  readonly record: TriggerRecord;
  readonly variable: VariableHandle;
  readonly valid: ValidDefinition;
  readonly box: Box;
  /** The outermost trigger. */
  readonly root: CompiledTrigger;
  /** It and all nested ones by their full names. */
  readonly nodes: ReadonlyMap<string, CompiledTrigger>;
  /** Each partition is decided alone. */
  readonly byPartition: boolean;
}

/** Compiles what a record of the bucket says. @throws BadRequestError where it does not fit the variable */
export function compileRecord(record: TriggerRecord, variable: VariableHandle): RegisteredTrigger {
  const valid = validateDefinition(record.definition, { variable: variable.record });
  const [root] = valid.triggers;
  if (root === undefined) throw new TypeError('a definition has at least one trigger');
  return {
    record,
    variable,
    valid,
    box: parseBox(valid.definition.on.box),
    root,
    nodes: new Map(valid.triggers.map((node) => [node.name, node])),
    byPartition: valid.definition.on.when === 'partition',
  };
}
