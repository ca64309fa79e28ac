import type { Json } from './canonical-json.js';
import type { CheckType, CheckValue } from './check-value.js';
import type { Unknown } from './compare-state.js';
import { EXPRESSION_LIMITS } from './expression-bounds.js';
import { problemOf } from './expression-error.js';
import type { Series } from './history.js';

/** One piece of a box at a step. */
export interface Part {
  /** Text form. */
  readonly box: string;
  readonly bytes: number;
  /** What the checks yield of this piece alone. */
  readonly values: ReadonlyMap<string, CheckValue>;
}

/** What expressions are evaluated on at one step. */
export interface ExpressionInput {
  readonly run: string;
  readonly variable: string;
  readonly step: number;
  readonly epoch: number;
  /** When the step became complete: milliseconds since 1970, the same however often it is evaluated. */
  readonly time: number;
  /** Values of the checks, merged over the pieces. */
  readonly values: ReadonlyMap<string, CheckValue>;
  /** Why a check has no value. */
  readonly failures: ReadonlyMap<string, string>;
  /** In box order. */
  readonly parts: readonly Part[] | Unknown;
  readonly series: ReadonlyMap<string, Series>;
}

/** A piece as an object of the expression language: its keys are its fields. */
export class PartView {
  constructor(fields: Readonly<Record<string, unknown>>) {
    Object.assign(this, fields);
  }
}

/** The series as an object of the expression language: its keys are the checks. */
export class HistoryView {
  constructor(fields: Readonly<Record<string, unknown>>) {
    Object.assign(this, fields);
  }
}

/** What one evaluation is given. */
export interface EvaluationContext {
  readonly variables: Map<string, unknown>;
  /** Lists that stand for series, with their steps. */
  readonly series: readonly (readonly [list: readonly number[], steps: readonly number[]])[];
  /** Why a name has no value. */
  readonly missing: ReadonlyMap<string, string>;
}

/** A value that does not fit the type of its check. */
class UnfitValueError extends Error {
  override readonly name = 'UnfitValueError';
}

/** Turns the input of a step into variables of the language; only what is read is converted. */
export function evaluationContext(
  reads: ReadonlySet<string>,
  checks: ReadonlyMap<string, { readonly type: CheckType }>,
  input: ExpressionInput,
): EvaluationContext {
  const missing = new Map<string, string>();
  const { run, variable, step, epoch, time } = input;
  const variables = new Map<string, unknown>([
    ['run', run],
    ['variable', variable],
    ['step', BigInt(step)],
    ['epoch', BigInt(epoch)],
    ['time', new Date(time)],
  ]);
  for (const [name, { type }] of checks) {
    const value = input.values.get(name);
    if (value === undefined) missing.set(name, input.failures.get(name) ?? 'it was not computed');
    else if (reads.has(name)) assign(variables, { name, type, value, missing });
  }
  if (reads.has('parts')) assignParts(variables, { checks, input, missing });
  const series = Array.from(input.series, ([name, { values, steps }]) => ({ name, list: [...values], steps }));
  variables.set('history', new HistoryView(Object.fromEntries(series.map(({ name, list }) => [name, list]))));
  return { variables, series: series.map(({ list, steps }) => [list, steps] as const), missing };
}

interface Assignment {
  readonly name: string;
  readonly type: CheckType;
  readonly value: CheckValue;
  readonly missing: Map<string, string>;
}

function assign(variables: Map<string, unknown>, { name, type, value, missing }: Assignment): void {
  try {
    variables.set(name, celValue(type, value));
  } catch (error) {
    if (!(error instanceof UnfitValueError)) throw error;
    missing.set(name, error.message);
  }
}

function assignParts(
  variables: Map<string, unknown>,
  {
    checks,
    input: { parts },
    missing,
  }: {
    checks: ReadonlyMap<string, { readonly type: CheckType }>;
    input: ExpressionInput;
    missing: Map<string, string>;
  },
): void {
  if ('unknown' in parts) {
    missing.set('parts', parts.unknown);
    return;
  }
  if (parts.length > EXPRESSION_LIMITS.parts) {
    missing.set('parts', `${parts.length} pieces, at most ${EXPRESSION_LIMITS.parts} are evaluated`);
    return;
  }
  const views = parts.map(({ box, bytes, values }) => {
    const fields = new Map<string, unknown>([
      ['box', box],
      ['bytes', BigInt(bytes)],
    ]);
    for (const [name, { type }] of checks) {
      const value = values.get(name);
      if (value !== undefined) assign(fields, { name, type, value, missing: new Map() });
    }
    return new PartView(Object.fromEntries(fields));
  });
  variables.set('parts', views);
}

function celValue(type: CheckType, value: CheckValue): unknown {
  switch (type) {
    case 'double':
      if (typeof value === 'number') return value;
      break;
    case 'int':
      if (Number.isSafeInteger(value)) return BigInt(value as number);
      break;
    case 'list<int>':
      if (Array.isArray(value) && value.every(Number.isSafeInteger)) return (value as readonly number[]).map(BigInt);
      break;
    case 'dyn':
      if (sizeOf(value) > EXPRESSION_LIMITS.dynamicValues) {
        throw new UnfitValueError(`it has more than ${EXPRESSION_LIMITS.dynamicValues} values`);
      }
      return value;
    default:
      throw new UnfitValueError(`there is no type ${type satisfies never}`);
  }
  throw new UnfitValueError(`expected ${type}, got ${JSON.stringify(value)?.slice(0, 80)}`);
}

/** Numbers, keys and characters of texts in a value: counted not much further than the bound. */
function sizeOf(value: Json): number {
  let size = 0;
  const left: Json[] = [value];
  for (let next = left.pop(); next !== undefined && size <= EXPRESSION_LIMITS.dynamicValues; next = left.pop()) {
    const items = typeof next === 'object' && next !== null ? Object.values(next) : [];
    size += typeof next === 'string' ? next.length + 1 : items.length + 1;
    if (size <= EXPRESSION_LIMITS.dynamicValues) left.push(...items);
  }
  return size;
}

interface FailedNode {
  readonly code: string;
  readonly node: { readonly op: string; readonly args: unknown };
}

function isFailedNode(error: unknown): error is FailedNode {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('node' in error)) return false;
  return typeof error.node === 'object' && error.node !== null && 'op' in error.node && 'args' in error.node;
}

/** Why an evaluation failed; for a name without a value, why it has none. */
export function reasonOf(error: unknown, missing: ReadonlyMap<string, string>): string {
  if (isFailedNode(error)) {
    const { code, node } = error;
    const name = node.op === 'id' ? node.args : node.op === '.' && Array.isArray(node.args) ? node.args[1] : undefined;
    const why = typeof name === 'string' ? missing.get(name) : undefined;
    if (why !== undefined && (code === 'unknown_variable' || code === 'no_such_key')) {
      return `${name === 'parts' ? 'parts' : `check ${name}`}: ${why}`;
    }
  }
  return problemOf(error);
}
