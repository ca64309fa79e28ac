import { createHash } from 'node:crypto';
import { boxOfShape, formatBox } from '@tidegate/geometry';
import type {
  ActionDefinition,
  CheckDefinition,
  CompareDefinition,
  TransformDefinition,
  TriggerDefinition,
  TriggerScope,
} from '@tidegate/protocol';
import { canonicalJson } from './canonical-json.js';
import { neighbourCount } from './connectivity.js';

/** Bins of a histogram where the definition does not say. */
const DEFAULT_BINS = 64;
/** What a user kernel may take where the definition does not say: milliseconds, and pages of 64 KiB. */
const DEFAULT_LIMITS = { ms: 50, pages: 256 } as const;

/** What a trigger watches, with its box in text form. */
export type CompleteScope = TriggerScope & { readonly box: string };
/** A definition with nothing left to defaults: two that mean the same are equal. */
export type CompleteDefinition = Omit<TriggerDefinition, 'on'> & { readonly on: CompleteScope };

/** One trigger of the tree that a definition is: the outermost, or one nested in another's actions. */
export interface TriggerNode {
  /** `name`, or `parent~child` for a nested one. */
  readonly name: string;
  /** Full name of the trigger that this one is nested in. */
  readonly parent: string | undefined;
  /** 1 for the outermost. */
  readonly level: number;
  /** Where it stands in the definition: `action.2.trigger`, empty for the outermost. */
  readonly path: string;
  readonly scope: CompleteScope;
  readonly check: Readonly<Record<string, CheckDefinition>>;
  readonly compare: CompareDefinition;
  readonly action: readonly ActionDefinition[];
}

/** The key path of `key` under `path`, which may be empty. */
export function keyPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Fills in what a definition leaves to defaults: box, bins, connectivity and kernel limits. `shape` is its variable's. */
export function completeDefinition(definition: TriggerDefinition, shape: readonly number[]): CompleteDefinition {
  const box = definition.on.box ?? formatBox(boxOfShape(shape));
  return {
    name: definition.name,
    on: { ...definition.on, box },
    check: completeChecks(definition.check, shape.length),
    compare: definition.compare,
    action: definition.action.map((action) => completeAction(action, shape.length)),
  };
}

function completeChecks(checks: TriggerDefinition['check'], rank: number): TriggerDefinition['check'] {
  return Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, completeCheck(check, rank)]));
}

function completeCheck(check: CheckDefinition, rank: number): CheckDefinition {
  if (check.reduce === 'histogram' || check.reduce === 'entropy') return { ...check, bins: check.bins ?? DEFAULT_BINS };
  if (check.wasm !== undefined) return { ...check, limits: check.limits ?? DEFAULT_LIMITS };
  if (check.components === undefined) return check;
  const { connectivity } = check.components;
  // What fits no rank is left as it came: the check of the definition names it.
  return {
    ...check,
    components: { ...check.components, connectivity: neighbourCount(connectivity, rank) ?? connectivity },
  };
}

function completeAction(action: ActionDefinition, rank: number): ActionDefinition {
  if (action.derive !== undefined) {
    return { ...action, derive: { ...action.derive, transform: completeTransform(action.derive.transform) } };
  }
  if (action.trigger === undefined) return action;
  const { check, action: nested } = action.trigger;
  return {
    ...action,
    trigger: {
      ...action.trigger,
      check: completeChecks(check, rank),
      action: nested.map((inner) => completeAction(inner, rank)),
    },
  };
}

function completeTransform(transform: TransformDefinition): TransformDefinition {
  return transform.wasm === undefined ? transform : { ...transform, limits: transform.limits ?? DEFAULT_LIMITS };
}

/**
 * What tells one generation of a trigger from the next: `sha256:<hex>` of the canonical JSON of the complete definition.
 * The order of keys, defaults written out, and the form of the box make no difference.
 */
export function definitionDigest(definition: CompleteDefinition): string {
  return `sha256:${createHash('sha256').update(canonicalJson(definition)).digest('hex')}`;
}

/** The triggers of a definition, every one after the one that it is nested in. */
export function triggerTree(definition: CompleteDefinition): TriggerNode[] {
  const { name, on: scope, check, compare, action } = definition;
  const nodes: TriggerNode[] = [{ name, parent: undefined, level: 1, path: '', scope, check, compare, action }];
  for (let at = 0; at < nodes.length; at++) {
    const parent = nodes[at] as TriggerNode;
    for (const [index, { trigger }] of parent.action.entries()) {
      if (trigger === undefined) continue;
      nodes.push({
        name: `${parent.name}~${trigger.name}`,
        parent: parent.name,
        level: parent.level + 1,
        path: keyPath(parent.path, `action.${index}.trigger`),
        scope,
        check: trigger.check,
        compare: trigger.compare,
        action: trigger.action,
      });
    }
  }
  return nodes;
}
