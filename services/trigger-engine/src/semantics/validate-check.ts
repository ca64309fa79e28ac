import { type DType, isOpaque } from '@tidegate/array';
import { BadRequestError, type CheckDefinition, type Reduction, type TransformDefinition } from '@tidegate/protocol';
import { MAX_COMPONENT_RANK, neighbourCount, neighbourhoods } from './connectivity.js';
import { keyPath } from './definition.js';

/** What checks and transforms are checked against. */
export interface DataShape {
  readonly dtype: DType;
  /** Dimensions of the variable. */
  readonly rank: number;
}

type Parameter = 'bins' | 'range' | 'q' | 'above' | 'below' | 'against';
const PARAMETERS: readonly Parameter[] = ['bins', 'range', 'q', 'above', 'below', 'against'];

interface Signature {
  readonly needs?: readonly Parameter[];
  readonly takes?: readonly Parameter[];
  /** Set where `above` or `below` must be there. */
  readonly needsBound?: true;
}

/** The parameters of the reductions that have any. */
const SIGNATURES: Readonly<Partial<Record<Reduction, Signature>>> = {
  count: { takes: ['above', 'below'] },
  fraction: { takes: ['above', 'below'], needsBound: true },
  histogram: { needs: ['range'], takes: ['bins'] },
  entropy: { needs: ['range'], takes: ['bins'] },
  quantile: { needs: ['q'] },
  l2_diff: { needs: ['against'] },
  linf_diff: { needs: ['against'] },
};

function refuse(path: string, problem: string): BadRequestError {
  return new BadRequestError(path, `${path}: ${problem}`);
}

function isReal(dtype: DType): boolean {
  return !isOpaque(dtype) && !dtype.startsWith('complex');
}

/** Refuses what reads cells as numbers of a type that has none. */
function needReal(path: string, what: string, dtype: DType): void {
  if (isReal(dtype)) return;
  throw refuse(path, `${what} reads real numbers, the variable has dtype ${dtype}`);
}

/** Refuses bounds that are missing or leave nothing between them. */
function checkBounds(path: string, { above, below }: { above?: number | undefined; below?: number | undefined }): void {
  if (above === undefined && below === undefined) {
    throw refuse(path, 'expected "above", "below", or both');
  }
  if (above !== undefined && below !== undefined && above >= below) {
    throw refuse(keyPath(path, 'below'), `expected a value above ${above} ("above"), got ${below}`);
  }
}

/**
 * Checks one check at `path`: parameters that are missing, foreign or out of range, and a dtype or rank that does not fit.
 * @throws BadRequestError naming the key
 */
export function validateCheck(path: string, check: CheckDefinition, shape: DataShape): void {
  for (const key of ['limits', 'merge'] as const) {
    if (check[key] !== undefined && check.wasm === undefined) {
      throw refuse(keyPath(path, key), 'only a check with "wasm" takes it');
    }
  }
  if (check.reduce !== undefined) {
    validateReduction(path, check.reduce, check, shape);
    return;
  }
  for (const parameter of PARAMETERS) {
    if (check[parameter] !== undefined) {
      throw refuse(keyPath(path, parameter), 'only a check with "reduce" takes it');
    }
  }
  if (check.components !== undefined) validateComponents(keyPath(path, 'components'), check.components, shape);
  if (check.wasm !== undefined) needCells(keyPath(path, 'wasm'), shape.dtype);
}

function needCells(path: string, dtype: DType): void {
  if (isOpaque(dtype)) throw refuse(path, 'a kernel reads cells, the variable has dtype bytes');
}

function validateReduction(path: string, reduction: Reduction, check: CheckDefinition, { dtype }: DataShape): void {
  needReal(keyPath(path, 'reduce'), `"${reduction}"`, dtype);
  const { needs = [], takes = [], needsBound } = SIGNATURES[reduction] ?? {};
  for (const parameter of PARAMETERS) {
    const isGiven = check[parameter] !== undefined;
    if (isGiven && !needs.includes(parameter) && !takes.includes(parameter)) {
      throw refuse(keyPath(path, parameter), `"${reduction}" does not take it`);
    }
    if (!isGiven && needs.includes(parameter)) {
      throw refuse(keyPath(path, parameter), `"${reduction}" needs it`);
    }
  }
  if (needsBound || check.above !== undefined || check.below !== undefined) checkBounds(path, check);
  const [from, to] = check.range ?? [0, 1];
  if (from >= to)
    throw refuse(keyPath(path, 'range'), `expected [lower, upper] with lower < upper, got [${from}, ${to}]`);
}

function validateComponents(
  path: string,
  components: NonNullable<CheckDefinition['components']>,
  { dtype, rank }: DataShape,
): void {
  needReal(path, '"components"', dtype);
  checkBounds(path, components);
  if (rank > MAX_COMPONENT_RANK) {
    throw refuse(path, `expected a variable of 1 to ${MAX_COMPONENT_RANK} dimensions, it has ${rank}`);
  }
  if (neighbourCount(components.connectivity, rank) !== undefined) return;
  const expected = neighbourhoods(rank).join(', ');
  const problem = `expected ${expected} in ${rank} dimensions, got ${components.connectivity}`;
  throw refuse(keyPath(path, 'connectivity'), problem);
}

/**
 * Checks the transform of a `derive` at `path`.
 * @param box lower and upper corner of the trigger's box
 * @throws BadRequestError naming the key
 */
export function validateTransform(
  path: string,
  transform: TransformDefinition,
  {
    dtype,
    rank,
    box,
  }: DataShape & { readonly box: { readonly lower: readonly number[]; readonly upper: readonly number[] } },
): void {
  needCells(path, dtype);
  if (transform.limits !== undefined && transform.wasm === undefined) {
    throw refuse(keyPath(path, 'limits'), 'only a transform with "wasm" takes it');
  }
  if (transform.threshold !== undefined) {
    needReal(keyPath(path, 'threshold'), '"threshold"', dtype);
    checkBounds(keyPath(path, 'threshold'), transform.threshold);
  }
  if (transform.slice === undefined) return;
  const { axis, index } = transform.slice;
  const slice = keyPath(path, 'slice');
  if (rank < 2) throw refuse(slice, 'expected a variable of 2 dimensions or more, a slice has one less');
  if (axis >= rank) throw refuse(keyPath(slice, 'axis'), `expected a dimension below ${rank}, got ${axis}`);
  const lower = box.lower[axis] ?? 0;
  const upper = box.upper[axis] ?? 0;
  if (index < lower || index >= upper) {
    throw refuse(keyPath(slice, 'index'), `expected an index inside the box, ${lower} to ${upper - 1}, got ${index}`);
  }
}
