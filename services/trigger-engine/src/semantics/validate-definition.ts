import { type Box, boxOfShape, formatBox, parseBox, within } from '@tidegate/geometry';
import {
  BadRequestError,
  parseRequest,
  TRIGGER_LIMITS,
  triggerDefinitionSchema,
  type VariableRecord,
} from '@tidegate/protocol';
import { checkLength, checkType } from './check-value.js';
import type { CompareRules } from './compare-state.js';
import {
  type CompleteDefinition,
  completeDefinition,
  definitionDigest,
  keyPath,
  type TriggerNode,
  triggerTree,
} from './definition.js';
import { checkNameFault, type Expression, ExpressionCompiler } from './expression.js';
import { ExpressionError } from './expression-error.js';
import { validateCheck, validateTransform } from './validate-check.js';

/** Derived data that standing triggers make: an edge from the variable that they are on to the one that they put. */
export interface Derivation {
  readonly from: string;
  readonly to: string;
}

/** What a definition is checked against. */
export interface DefinitionContext {
  /** The variable that `on` names. */
  readonly variable: Pick<VariableRecord, 'name' | 'dtype' | 'shape'>;
  /** Those of all other triggers. */
  readonly derivations?: readonly Derivation[];
}

/** A trigger of the tree, ready to decide. */
export interface CompiledTrigger extends TriggerNode {
  readonly condition: Expression;
  readonly recovery: Expression | undefined;
  readonly rules: CompareRules;
  /** Whether a check compares with the step decided before. */
  readonly readsPrevious: boolean;
}

/** A definition that has passed. */
export interface ValidDefinition {
  readonly definition: CompleteDefinition;
  /** Two definitions with the same digest are the same. */
  readonly digest: string;
  /** The outermost first, every other after the one that it is nested in. */
  readonly triggers: readonly CompiledTrigger[];
  /** Whether its steps must be decided in order: a trigger of the tree remembers something. */
  readonly ordered: boolean;
  readonly derivations: readonly Derivation[];
}

/**
 * Checks a definition as it came and compiles its expressions.
 *
 * @param map the body of a registration, or what a file holds
 * @throws BadRequestError whose `field` is the path of the offending key, as in `action.2.trigger.check.mx.reduce`; for an
 *   expression the message has the column
 */
export function validateDefinition(map: unknown, { variable, derivations = [] }: DefinitionContext): ValidDefinition {
  refuseOddities(map);
  const parsed = parseRequest(triggerDefinitionSchema, map);
  if (parsed.on.variable !== variable.name) {
    throw refuse('on.variable', `expected "${variable.name}", got "${parsed.on.variable}"`);
  }
  const { shape } = variable;
  const definition = completeDefinition(parsed, shape);
  const box = parseBox(definition.on.box);
  if (!within(box, shape)) {
    throw refuse('on.box', `expected a box inside ${formatBox(boxOfShape(shape))}, got ${definition.on.box}`);
  }
  const nodes = triggerTree(definition);
  for (const node of nodes) if (node.level > TRIGGER_LIMITS.nesting) throw tooDeep(node);
  const surplus = nodes[TRIGGER_LIMITS.triggers];
  if (surplus !== undefined) throw refuse(surplus.path, `expected at most ${TRIGGER_LIMITS.triggers} triggers in all`);
  const triggers = nodes.map((node) => compileTrigger(node, { variable, box }));
  return {
    definition,
    digest: definitionDigest(definition),
    triggers,
    ordered: triggers.some(({ rules }) => rules.stateful),
    derivations: nodes.flatMap((node) => derivationsOf(node, derivations)),
  };
}

function refuse(path: string, problem: string, options?: ErrorOptions): BadRequestError {
  return new BadRequestError(path, `${path}: ${problem}`, options);
}

function tooDeep({ path, level }: TriggerNode): BadRequestError {
  return refuse(path, `triggers nest at most ${TRIGGER_LIMITS.nesting} deep, the outermost included; this is ${level}`);
}

/** Deepest nesting of a definition, as of a control body. */
const MAX_DEPTH = 64;

/** Refuses what a schema would drop silently or could not show: the key that is no key, and a body that is too large. */
function refuseOddities(map: unknown): void {
  let bytes = 0;
  const walk = (value: unknown, path: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw refuse('body', `expected a definition of at most ${MAX_DEPTH} levels`);
    bytes += typeof value === 'string' ? value.length : 4;
    if (bytes > TRIGGER_LIMITS.definitionBytes) {
      throw refuse('body', `expected a definition of at most ${TRIGGER_LIMITS.definitionBytes} bytes`);
    }
    if (typeof value === 'bigint')
      throw refuse(path === '' ? 'body' : path, 'expected a number, got an integer above 2^53');
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    for (const [key, member] of Object.entries(value)) {
      bytes += key.length;
      if (key === '__proto__') throw refuse(keyPath(path, key), 'unknown key "__proto__"');
      walk(member, keyPath(path, key), depth + 1);
    }
  };
  walk(map, '', 1);
}

function compileTrigger(
  node: TriggerNode,
  { variable, box }: { variable: DefinitionContext['variable']; box: Box },
): CompiledTrigger {
  const { path, check, compare } = node;
  const rank = variable.shape.length;
  const checks = Object.entries(check);
  const checkPath = keyPath(path, 'check');
  if (checks.length > TRIGGER_LIMITS.checks) {
    throw refuse(checkPath, `expected at most ${TRIGGER_LIMITS.checks} checks, got ${checks.length}`);
  }
  for (const [name, definition] of checks) {
    const fault = checkNameFault(name);
    if (fault !== undefined) throw refuse(keyPath(checkPath, name), fault);
    validateCheck(keyPath(checkPath, name), definition, { dtype: variable.dtype, rank });
  }
  validateActions(node, { dtype: variable.dtype, rank, box });

  const shapes = new Map(
    checks.map(([name, definition]) => [
      name,
      { type: checkType(definition), length: checkLength(definition, rank) } as const,
    ]),
  );
  const compiler = new ExpressionCompiler({ checks: shapes, historyDepth: compare.history });
  const condition = compileAt(keyPath(path, 'compare.condition'), compare.condition, compiler);
  const recovery =
    compare.recovery === undefined
      ? undefined
      : compileAt(keyPath(path, 'compare.recovery'), compare.recovery, compiler);
  const tracked = [...new Set([...condition.series, ...(recovery?.series ?? [])])].sort();
  checkSeries(node, { tracked, types: shapes });
  const readsPrevious = checks.some(([, { against }]) => against === 'previous');
  const memory = memoryOf(node, tracked, readsPrevious);
  if (node.scope.when === 'partition' && memory !== undefined) {
    const why =
      'the partitions of a step come in no order, so with "when: partition" nothing is kept from one to the next';
    throw refuse(keyPath(path, memory), why);
  }
  const { history, for: needed, keepFiringFor, edge, cooldown, onUnknown } = compare;
  return {
    ...node,
    condition,
    recovery,
    readsPrevious,
    rules: {
      for: needed,
      keepFiringFor,
      edge,
      cooldown,
      onUnknown,
      history,
      recovery: recovery !== undefined,
      tracked,
      stateful: memory !== undefined,
    },
  };
}

function compileAt(path: string, source: string, compiler: ExpressionCompiler): Expression {
  try {
    return compiler.compile(source);
  } catch (error) {
    if (error instanceof ExpressionError) throw refuse(path, error.message, { cause: error });
    throw error;
  }
}

/** The key that makes a decision depend on the ones before it, or undefined where none does. */
function memoryOf(
  { compare, check }: TriggerNode,
  tracked: readonly string[],
  readsPrevious: boolean,
): string | undefined {
  // A condition that must hold at one step holds at once, as with 0.
  if (compare.for > 1) return 'compare.for';
  if (compare.keepFiringFor > 0) return 'compare.keepFiringFor';
  if (compare.recovery !== undefined) return 'compare.recovery';
  if (compare.edge === 'rising') return 'compare.edge';
  if (compare.cooldown > 0) return 'compare.cooldown';
  if (tracked.length > 0) return 'compare.condition';
  if (!readsPrevious) return undefined;
  const [name] = Object.entries(check).find(([, { against }]) => against === 'previous') ?? [''];
  return `check.${name}.against`;
}

function checkSeries(
  { path, compare }: TriggerNode,
  { tracked, types }: { tracked: readonly string[]; types: ReadonlyMap<string, { readonly type: string }> },
): void {
  for (const name of tracked) {
    if (types.get(name)?.type !== 'list<int>') continue;
    throw refuse(
      keyPath(path, 'compare.condition'),
      `history.${name}: the history keeps numbers, this check yields a list`,
    );
  }
  const values = tracked.length * compare.history;
  if (values > TRIGGER_LIMITS.historyValues) {
    const most = Math.floor(TRIGGER_LIMITS.historyValues / tracked.length);
    throw refuse(
      keyPath(path, 'compare.history'),
      `expected at most ${most} for ${tracked.length} checks, got ${compare.history}`,
    );
  }
}

function validateActions({ path, action }: TriggerNode, data: Parameters<typeof validateTransform>[2]): void {
  const names = new Set<string>();
  for (const [index, { trigger, derive, steer }] of action.entries()) {
    const here = keyPath(path, `action.${index}`);
    if (trigger !== undefined) {
      if (names.has(trigger.name))
        throw refuse(`${here}.trigger.name`, `there is another trigger "${trigger.name}" here`);
      names.add(trigger.name);
    }
    if (derive !== undefined) validateTransform(`${here}.derive.transform`, derive.transform, data);
    if (steer?.op === 'set' && Object.keys(steer.args).length === 0) {
      throw refuse(`${here}.steer.args`, 'expected the values to set');
    }
  }
}

/** The derivations of a trigger, none of which may close a circle: data that makes itself anew never comes to an end. */
function derivationsOf({ path, scope, action }: TriggerNode, edges: readonly Derivation[]): Derivation[] {
  const made: Derivation[] = [];
  for (const [index, { derive }] of action.entries()) {
    if (derive === undefined) continue;
    const circle = pathBetween(edges, derive.to, scope.variable);
    if (circle !== undefined) {
      const shown = [scope.variable, ...circle].join(' -> ');
      throw refuse(keyPath(path, `action.${index}.derive.to`), `the derived data would make itself anew: ${shown}`);
    }
    made.push({ from: scope.variable, to: derive.to });
  }
  return made;
}

/** The variables on a way along the derivations, both ends included, or undefined where there is none. */
function pathBetween(edges: readonly Derivation[], from: string, to: string): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  for (const [at] of cameFrom) {
    if (at === to) {
      const way = [at];
      for (let back = cameFrom.get(at); back !== undefined; back = cameFrom.get(back)) way.unshift(back);
      return way;
    }
    for (const edge of edges) if (edge.from === at && !cameFrom.has(edge.to)) cameFrom.set(edge.to, at);
  }
  return undefined;
}
