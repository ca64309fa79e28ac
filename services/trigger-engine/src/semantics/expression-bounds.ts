import type { ASTNode } from '@marcbachmann/cel-js';
import { ExpressionError } from './expression-error.js';
import { SERIES_FUNCTIONS, type SeriesFunction, valuesNeeded } from './series-functions.js';

/** Bounds of what an expression may take: the library evaluates whatever it is given, so they are kept before the run. */
export const EXPRESSION_LIMITS = {
  nodes: 500,
  depth: 32,
  /** Comprehensions inside each other. */
  comprehensions: 2,
  /** Evaluated nodes, and list entries or characters touched, in the worst case. */
  cost: 1_000_000,
  /** Pieces of a step; with more of them `parts` is unknown. */
  parts: 16_384,
  /** Numbers, texts and keys in what a kernel or a responder answers; with more of them the check is unknown. */
  dynamicValues: 4096,
  /** Characters of the names of runs and variables, and of boxes. */
  text: 256,
} as const;

/** Worst-case size of a value: so many items, each at most as large as `item`. */
export interface Extent {
  readonly count: number;
  readonly item?: Extent;
  /** Of a map with known keys. */
  readonly fields?: ReadonlyMap<string, Extent>;
  /** Set where the items may be anything that has the size of the whole. */
  readonly dynamic?: true;
}

export const SCALAR: Extent = { count: 1 };
export const DYNAMIC: Extent = { count: EXPRESSION_LIMITS.dynamicValues, dynamic: true };

/** What an expression reads, and what it costs at most. */
export interface ExpressionBounds {
  readonly cost: number;
  /** Variables by name, those of comprehensions included. */
  readonly reads: ReadonlySet<string>;
  /** Checks read as `history.<check>`. */
  readonly series: ReadonlySet<string>;
}

/** Functions that take texts or numbers and give a number, a bool or a moment. */
const CALLS: ReadonlySet<string> = new Set(['size', 'double', 'int', 'string', 'timestamp', 'duration', 'dyn', 'has']);
/** Methods; those of moments without a time zone, whose rules depend on the machine. */
const METHODS: ReadonlyMap<string, number> = new Map([
  ['size', 0],
  ['startsWith', 1],
  ['endsWith', 1],
  ['contains', 1],
  ['getFullYear', 0],
  ['getMonth', 0],
  ['getDate', 0],
  ['getDayOfMonth', 0],
  ['getDayOfWeek', 0],
  ['getHours', 0],
  ['getMinutes', 0],
  ['getSeconds', 0],
  ['getMilliseconds', 0],
]);
const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

type Scope = ReadonlyMap<string, Extent>;
interface Bound {
  readonly cost: number;
  readonly extent: Extent;
}

function total({ count, item, fields, dynamic }: Extent): number {
  if (dynamic) return count;
  let each = item === undefined ? 1 : total(item);
  if (fields !== undefined) for (const field of fields.values()) each += total(field);
  return count * each;
}

function itemOf(extent: Extent): Extent {
  if (extent.dynamic) return extent;
  return extent.item ?? SCALAR;
}

/** What is at least as large as either, in its count as in its items. */
function join(a: Extent, b: Extent): Extent {
  if (a.dynamic || b.dynamic) return { count: Math.max(total(a), total(b)), dynamic: true };
  const fields = new Map(a.fields);
  for (const [name, extent] of b.fields ?? []) fields.set(name, join(fields.get(name) ?? SCALAR, extent));
  const hasItems = a.item !== undefined || b.item !== undefined;
  return {
    count: Math.max(a.count, b.count),
    ...(hasItems && { item: join(a.item ?? SCALAR, b.item ?? SCALAR) }),
    ...(fields.size > 0 && { fields }),
  };
}

/**
 * Bounds an expression from above: what every node of its tree costs, times the items that the comprehensions around it go
 * through. Only functions on a list are accepted, all of which give the same on any machine and take time in
 * proportion to their arguments; a regular expression does not, and `cel.bind` could double a list at every level.
 *
 * @param extents worst-case sizes of the variables; `history` has its series as fields
 * @throws ExpressionError at the node that is too much
 */
export function boundExpression(ast: ASTNode, extents: ReadonlyMap<string, Extent>): ExpressionBounds {
  const walk = new BoundWalk(ast.input, extents);
  const { cost } = walk.visit(ast, extents, 0);
  if (cost > EXPRESSION_LIMITS.cost) {
    throw walk.refusal(ast, `it may cost ${cost} evaluations, at most ${EXPRESSION_LIMITS.cost} are accepted`);
  }
  return { cost, reads: walk.reads, series: walk.series };
}

/** One walk over a tree, with what it has met. */
class BoundWalk {
  readonly reads = new Set<string>();
  readonly series = new Set<string>();
  readonly #source: string;
  /** The names that a comprehension may not take for its variable. */
  readonly #globals: Scope;

  constructor(source: string, globals: Scope) {
    this.#source = source;
    this.#globals = globals;
  }

  refusal({ start }: ASTNode, problem: string): ExpressionError {
    return new ExpressionError(this.#source, start, problem);
  }

  visit(node: ASTNode, scope: Scope, loops: number): Bound {
    switch (node.op) {
      case 'value':
        return literal(node.args);
      case 'id':
        return this.#identifier(node, node.args, scope);
      case '.':
      case '.?':
        return this.#field(node, node.args, scope, loops);
      case '[]':
      case '[?]':
        return this.#index(node.args, scope, loops);
      case 'call':
        return this.#call(node, node.args, scope, loops);
      case 'rcall':
        return this.#method(node, node.args, scope, loops);
      case 'list':
        return this.#literalOf(node.args, scope, loops);
      case 'map':
        return this.#literalOf(node.args.flat(), scope, loops);
      case '?:': {
        const [condition, yes, no] = node.args;
        const bounds = [condition, yes, no].map((part) => this.visit(part, scope, loops));
        return { cost: sumOf(bounds), extent: join(bounds[1]?.extent ?? SCALAR, bounds[2]?.extent ?? SCALAR) };
      }
      case '!_':
      case '-_': {
        const { cost } = this.visit(node.args, scope, loops);
        return { cost: cost + 1, extent: SCALAR };
      }
      default:
        return this.#binary(node.op, node.args, scope, loops);
    }
  }

  #identifier(node: ASTNode, name: string, scope: Scope): Bound {
    const extent = scope.get(name);
    if (extent === undefined) throw this.refusal(node, `Unknown variable: ${name}`);
    if (extent.fields !== undefined && name === 'history') {
      throw this.refusal(node, '"history" stands alone: expected history.<check>');
    }
    this.reads.add(name);
    return { cost: 1, extent };
  }

  /** The check that a node reads as `history.<check>`, or undefined for any other node. */
  #seriesName(node: ASTNode, scope: Scope): string | undefined {
    if (node.op !== '.') return undefined;
    const [of, name] = node.args;
    const isHistory = of.op === 'id' && of.args === 'history' && scope.get('history')?.fields !== undefined;
    return isHistory ? name : undefined;
  }

  #field(node: ASTNode, [of, name]: readonly [ASTNode, string], scope: Scope, loops: number): Bound {
    const series = this.#seriesName(node, scope);
    if (series !== undefined) {
      this.series.add(series);
      return { cost: 2, extent: scope.get('history')?.fields?.get(series) ?? SCALAR };
    }
    const bound = this.visit(of, scope, loops);
    return { cost: bound.cost + 1, extent: bound.extent.fields?.get(name) ?? itemOf(bound.extent) };
  }

  #index([of, index]: readonly [ASTNode, ASTNode], scope: Scope, loops: number): Bound {
    const list = this.visit(of, scope, loops);
    const at = this.visit(index, scope, loops);
    const isSeries = this.#seriesName(of, scope) !== undefined;
    if (isSeries && index.op === 'value' && typeof index.args === 'bigint' && index.args >= list.extent.count) {
      throw this.refusal(index, `the history keeps ${list.extent.count} values, there is no index ${index.args}`);
    }
    return { cost: list.cost + at.cost + 1, extent: itemOf(list.extent) };
  }

  #literalOf(items: readonly ASTNode[], scope: Scope, loops: number): Bound {
    const bounds = items.map((item) => this.visit(item, scope, loops));
    const item = bounds.map(({ extent }) => extent).reduce(join, SCALAR);
    return { cost: sumOf(bounds), extent: { count: items.length, item } };
  }

  #binary(op: string, [left, right]: readonly [ASTNode, ASTNode], scope: Scope, loops: number): Bound {
    const a = this.visit(left, scope, loops);
    const b = this.visit(right, scope, loops);
    const cost = a.cost + b.cost + 1;
    if (op === '&&' || op === '||') return { cost, extent: SCALAR };
    if (op === 'in') return { cost: cost + total(b.extent), extent: SCALAR };
    const touched = total(a.extent) + total(b.extent);
    // Two lists are compared no further than the shorter one.
    if (op !== '+') return { cost: cost + Math.min(total(a.extent), total(b.extent)), extent: SCALAR };
    const isLong =
      a.extent.count > 1 || b.extent.count > 1 || a.extent.item !== undefined || b.extent.item !== undefined;
    const item = join(itemOf(a.extent), itemOf(b.extent));
    const extent = isLong ? { count: a.extent.count + b.extent.count, item } : SCALAR;
    return { cost: cost + touched, extent };
  }

  #call(node: ASTNode, [name, args]: readonly [string, readonly ASTNode[]], scope: Scope, loops: number): Bound {
    const bounds = args.map((argument) => this.visit(argument, scope, loops));
    const touched = touchedBy(name, bounds);
    if (isSeriesFunction(name)) {
      this.#checkSeriesCall(node, name, args, scope);
      return { cost: sumOf(bounds) + touched, extent: SCALAR };
    }
    if (!CALLS.has(name)) throw this.refusal(node, `there is no function ${name}()`);
    const extent = name === 'dyn' ? (bounds[0]?.extent ?? SCALAR) : SCALAR;
    return { cost: sumOf(bounds) + touched, extent: name === 'string' ? { count: Math.max(32, touched) } : extent };
  }

  #checkSeriesCall(node: ASTNode, name: SeriesFunction, args: readonly ASTNode[], scope: Scope): void {
    const [list, ...rest] = args;
    const series = list === undefined ? undefined : this.#seriesName(list, scope);
    if (name === 'rate' && series === undefined) throw this.refusal(list ?? node, 'rate() takes history.<check>');
    const given = rest.map((argument) =>
      argument.op === 'value' && typeof argument.args === 'bigint' ? Number(argument.args) : 1,
    );
    const needed = valuesNeeded(name, given);
    if (needed === undefined) throw this.refusal(rest[0] ?? node, `${name}() takes a count of 1 or more`);
    const kept = series === undefined ? undefined : scope.get('history')?.fields?.get(series)?.count;
    if (kept !== undefined && needed > kept) {
      throw this.refusal(rest[0] ?? node, `${name}() needs ${needed} values, the history keeps ${kept}`);
    }
  }

  #method(
    node: ASTNode,
    [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
    scope: Scope,
    loops: number,
  ): Bound {
    if (COMPREHENSIONS.has(name)) return this.#comprehension(node, { name, receiver, args }, scope, loops);
    if (METHODS.get(name) !== args.length)
      throw this.refusal(node, `there is no method ${name}() of ${args.length} arguments`);
    const bounds = [receiver, ...args].map((part) => this.visit(part, scope, loops));
    return { cost: sumOf(bounds) + touchedBy(name, bounds), extent: SCALAR };
  }

  #comprehension(
    node: ASTNode,
    { name, receiver, args }: { name: string; receiver: ASTNode; args: readonly ASTNode[] },
    scope: Scope,
    loops: number,
  ): Bound {
    if (loops === EXPRESSION_LIMITS.comprehensions) {
      throw this.refusal(node, `comprehensions nest at most ${EXPRESSION_LIMITS.comprehensions} deep`);
    }
    const list = this.visit(receiver, scope, loops);
    const [variable, ...steps] = args;
    if (variable?.op !== 'id') throw this.refusal(node, `${name}() takes the name of a variable first`);
    if (this.#globals.has(variable.args)) throw this.refusal(variable, `"${variable.args}" is a name already`);
    const inner = new Map(scope).set(variable.args, itemOf(list.extent));
    const bounds = steps.map((step) => this.visit(step, inner, loops + 1));
    const cost = list.cost + list.extent.count * (1 + sumOf(bounds));
    if (name === 'filter') return { cost, extent: list.extent };
    if (name !== 'map') return { cost, extent: SCALAR };
    return { cost, extent: { count: list.extent.count, item: bounds.at(-1)?.extent ?? SCALAR } };
  }
}

function literal(value: unknown): Bound {
  // One more than its characters: a text of one is still a text, which grows when another is added to it.
  return { cost: 1, extent: typeof value === 'string' ? { count: value.length + 1 } : SCALAR };
}

/** List entries or characters that a function goes through. */
function touchedBy(name: string, bounds: readonly Bound[]): number {
  if (name === 'has' || name === 'dyn') return 1;
  // Counting does not look into what it counts.
  const sizes = bounds.map(({ extent }) => (name === 'size' ? extent.count : total(extent)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function sumOf(bounds: readonly Bound[]): number {
  return bounds.reduce((sum, { cost }) => sum + cost, 1);
}

function isSeriesFunction(name: string): name is SeriesFunction {
  return (SERIES_FUNCTIONS as readonly string[]).includes(name);
}
