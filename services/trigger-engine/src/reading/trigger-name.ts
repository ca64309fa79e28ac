import type { TriggerRecord } from '@tidegate/protocol';
import { type CompleteDefinition, triggerTree } from '../semantics/index.js';

/** Name of the outermost trigger of a full name `parent~child`. */
export function rootOf(fullName: string): string {
  const [root = fullName] = fullName.split('~', 1);
  return root;
}

/** Full name of the trigger that one is nested in; undefined for the outermost. */
export function parentOf(fullName: string): string | undefined {
  const at = fullName.lastIndexOf('~');
  return at < 0 ? undefined : fullName.slice(0, at);
}

/** True where a record's definition has a trigger of this full name. */
export function hasTrigger({ definition }: TriggerRecord, fullName: string): boolean {
  return triggerTree(definition as CompleteDefinition).some(({ name }) => name === fullName);
}
