import { type ASTNode, Environment, type ParseResult, serialize } from '@marcbachmann/cel-js';
import type { Json } from './canonical-json.js';
import { type CheckType, type CheckValue, encodeValue } from './check-value.js';
import type { Truth, Unknown } from './compare-state.js';
import { boundExpression, DYNAMIC, EXPRESSION_LIMITS, type Extent, SCALAR } from './expression-bounds.js';
import { ExpressionError, refusalOf } from './expression-error.js';
import { type ExpressionInput, evaluationContext, HistoryView, PartView, reasonOf } from './expression-input.js';
import { registerSeriesFunctions, type SeriesSteps } from './series-functions.js';

/** A check as expressions see it. */
export interface CheckShape {
  readonly type: CheckType;
  /** Most entries of its list; 1 for a number. */
  readonly length: number;
}

/** The names that an expression may use. */
export interface ExpressionScope {
  readonly checks: ReadonlyMap<string, CheckShape>;
  /** Most values of `history.<check>`. */
  readonly historyDepth: number;
}

/** A sub-expression and what it came to. */
export interface ExplainedPart {
  readonly text: string;
  readonly value: Json | Unknown;
}

/** A condition that is compiled once and evaluated at every step. */
export interface Expression {
  readonly source: string;
  /** Checks whose value it reads, by themselves or in their series. */
  readonly checks: ReadonlySet<string>;
  /** Checks read as `history.<check>`. */
  readonly series: ReadonlySet<string>;
  readonly readsParts: boolean;
  /** Evaluations that it takes at most. */
  readonly cost: number;
  /** Its value, or why it has none. Never throws for bad values. */
  evaluate(input: ExpressionInput): Truth;
  /** The value of each comparison and logical part, outermost first. */
  explain(input: ExpressionInput): ExplainedPart[];
}

/** Variables of every expression beside the checks. */
const BUILT_INS = {
  step: 'int',
  epoch: 'int',
  run: 'string',
  variable: 'string',
  time: 'google.protobuf.Timestamp',
  parts: 'list<Part>',
  history: 'History',
} as const;

/** Keys of a piece beside the checks. */
const PART_FIELDS = { box: 'string', bytes: 'int' } as const;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Words of the language, and names that it gives a meaning. */
const LANGUAGE_NAMES: ReadonlySet<string> = new Set([
  ...[
    'true',
    'false',
    'null',
    'in',
    'as',
    'break',
    'const',
    'continue',
    'else',
    'for',
    'function',
    'if',
    'import',
    'let',
  ],
  ...['loop', 'package', 'namespace', 'return', 'var', 'void', 'while', '__proto__', 'prototype', 'constructor'],
  ...['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'type', 'dyn', 'null_type', 'optional'],
  ...['cel', 'google', 'timestamp', 'duration', 'size', 'has', 'movavg', 'delta', 'rate'],
]);

/** Why a check may not have this name, or undefined where it may. */
export function checkNameFault(name: string): string | undefined {
  if (!IDENTIFIER.test(name)) return 'expected a name matching [A-Za-z_][A-Za-z0-9_]{0,63}';
  if (LANGUAGE_NAMES.has(name) || name in BUILT_INS || name in PART_FIELDS)
    return 'this name has a meaning in expressions';
  return undefined;
}

/** Steps of the series that are being evaluated; an entry lives as long as its list. */
const seriesSteps: SeriesSteps = new WeakMap();

/** Arithmetic of numbers of both kinds: an int becomes a double. */
function baseEnvironment(): Environment {
  const environment = new Environment({
    limits: { maxAstNodes: EXPRESSION_LIMITS.nodes, maxDepth: EXPRESSION_LIMITS.depth },
  });
  const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  };
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const mixed = (a: number | bigint, b: number | bigint): number => apply(Number(a), Number(b));
    environment.registerOperator(`int ${operator} double: double`, mixed);
    environment.registerOperator(`double ${operator} int: double`, mixed);
  }
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are equal only to ==
  environment.registerOperator('int == double', (a: unknown, b: unknown) => a == b);
  registerSeriesFunctions(environment, seriesSteps);
  return environment;
}

const BASE = baseEnvironment();

/** Compiles the expressions of one trigger: they share their names, and a check of each name is told apart by its type. */
export class ExpressionCompiler {
  readonly #environment: Environment;
  readonly #extents: ReadonlyMap<string, Extent>;
  readonly #checks: ReadonlyMap<string, CheckShape>;

  constructor({ checks, historyDepth }: ExpressionScope) {
    this.#checks = checks;
    const types = new Map(Array.from(checks, ([name, { type }]) => [name, type as string]));
    const series = Array.from(checks.keys(), (name) => [name, 'list<double>']);
    this.#environment = BASE.clone();
    this.#environment.registerType('Part', {
      ctor: PartView,
      fields: { ...PART_FIELDS, ...Object.fromEntries(types) },
    });
    this.#environment.registerType('History', { ctor: HistoryView, fields: Object.fromEntries(series) });
    for (const [name, type] of [...Object.entries(BUILT_INS), ...types]) this.#environment.registerVariable(name, type);
    this.#extents = extentsOf(checks, historyDepth);
  }

  /**
   * Compiles a condition.
   * @throws ExpressionError where it does not parse, uses an unknown name, has a wrong type, may cost too much, or is no bool
   */
  compile(source: string): Expression {
    const { program, type } = this.#check(source);
    const bounds = boundExpression(program.ast, this.#extents);
    if (type !== 'bool') {
      const hint = type === 'dyn' ? ': its type is known only when it comes, so compare it, as in "… == true"' : '';
      throw new ExpressionError(source, program.ast.start, `expected a bool, got ${type}${hint}`);
    }
    const checks = new Set([...bounds.reads, ...bounds.series].filter((name) => this.#checks.has(name)));
    const run = (input: ExpressionInput) => this.#run(program, { reads: bounds.reads, input });
    return {
      source,
      checks,
      series: bounds.series,
      readsParts: bounds.reads.has('parts'),
      cost: bounds.cost,
      evaluate: (input) => {
        const value = run(input);
        if (typeof value === 'boolean') return value;
        return isUnknown(value) ? value : { unknown: 'it came to no bool' };
      },
      explain: (input) => this.#explain(program.ast, bounds.reads, input),
    };
  }

  #check(source: string): { program: ParseResult; type: string } {
    try {
      const program = this.#environment.parse(source);
      const { valid, type, error } = program.check();
      if (!valid || type === undefined) throw error ?? new Error('it has no type');
      return { program, type };
    } catch (error) {
      throw refusalOf(source, error);
    }
  }

  #run(program: ParseResult, { reads, input }: { reads: ReadonlySet<string>; input: ExpressionInput }): unknown {
    const context = evaluationContext(reads, this.#checks, input);
    for (const [list, steps] of context.series) seriesSteps.set(list, steps);
    try {
      return program(context.variables);
    } catch (error) {
      return { unknown: reasonOf(error, context.missing) } satisfies Unknown;
    }
  }

  #explain(ast: ASTNode, reads: ReadonlySet<string>, input: ExpressionInput): ExplainedPart[] {
    return explainable(ast).map((node) => {
      const text = serialize(node);
      const value = this.#run(this.#check(text).program, { reads, input });
      return { text, value: isUnknown(value) ? value : shown(value) };
    });
  }
}

function isUnknown(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && 'unknown' in value && typeof value.unknown === 'string';
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);

/** The logical parts and the comparisons of a tree with their operands; literals explain themselves. */
function explainable(node: ASTNode): ASTNode[] {
  if (node.op === 'value') return [];
  if (node.op === '!_') return [node, ...explainable(node.args)];
  if (node.op === '&&' || node.op === '||') return [node, ...node.args.flatMap(explainable)];
  if (node.op === '?:') return [node, ...node.args.flatMap(explainable)];
  if (!COMPARISONS.has(node.op)) return [node];
  const operands = node.args as readonly ASTNode[];
  return [node, ...operands.filter(({ op }) => op !== 'value')];
}

/** A value as a decision shows it. */
function shown(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(shown);
  if (value instanceof PartView || value instanceof HistoryView) return shown({ ...value });
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member)]));
  }
  return encodeValue(value as CheckValue);
}

function extentsOf(checks: ReadonlyMap<string, CheckShape>, historyDepth: number): ReadonlyMap<string, Extent> {
  const text: Extent = { count: EXPRESSION_LIMITS.text };
  const values = new Map(Array.from(checks, ([name, shape]) => [name, extentOf(shape)]));
  const series = new Map(Array.from(checks.keys(), (name) => [name, { count: historyDepth, item: SCALAR }]));
  const piece: Extent = { count: 1, fields: new Map([...values, ['box', text], ['bytes', SCALAR]]) };
  return new Map<string, Extent>([
    ...values,
    ['step', SCALAR],
    ['epoch', SCALAR],
    ['time', SCALAR],
    ['run', text],
    ['variable', text],
    ['parts', { count: EXPRESSION_LIMITS.parts, item: piece }],
    ['history', { count: 1, fields: series }],
  ]);
}

function extentOf({ type, length }: CheckShape): Extent {
  if (type === 'dyn') return DYNAMIC;
  return type === 'list<int>' ? { count: length, item: SCALAR } : SCALAR;
}
